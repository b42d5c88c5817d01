use std::fs;

use contracts::User;
use kit::config::{self, Environment};
use provisioning::{Secrets, nats_users};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use servers::{Nats, NatsOptions, Programs};

#[tokio::test(flavor = "multi_thread")]
async fn with_certificates_of_its_own_nats_is_reached_over_tls_and_in_no_other_way() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = Secrets::make(&dir.path().join("secrets")).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("ca.pem"), ca.pem()).unwrap();
    fs::write(path("cert.pem"), certificate.pem()).unwrap();
    fs::write(path("key.pem"), key.serialize_pem()).unwrap();

    let program = Programs::nats_server(&servers::on_stderr()).await.unwrap();
    let mut options = NatsOptions::new(program, path("nats"));
    let tls = format!("tls {{ cert_file: {:?}, key_file: {:?} }}\n", path("cert.pem"), path("key.pem"));
    options.extra = tls + &nats_users(secrets.users().unwrap());
    let nats = Nats::start(options).await.unwrap();

    let settings = config::Nats {
        nats_url: nats.url(),
        nats_nkey: Some(secrets.nkey(User::Operator).unwrap()),
        nats_nkey_file: None,
        nats_tls_ca: Some(path("ca.pem")),
    };
    let client = kit::connect_nats(&settings, Environment::Production, User::Operator).await.unwrap();
    assert!(client.server_info().tls_required);
    client.flush().await.unwrap();
    let seed = settings.nats_nkey.unwrap().expose().to_owned();
    assert!(async_nats::ConnectOptions::with_nkey(seed).connect(nats.url()).await.is_err(), "nobody knows the CA");
}
