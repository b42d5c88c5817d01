use std::{fs, os::unix::fs::PermissionsExt};

use contracts::{Millis, Secret};
use kit::config::Environment;
use mailer::Config;

use crate::fixture::{Fixture, token_in};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_invitations_are_files_that_only_we_can_read() {
    let fixture = Fixture::start().await;
    fixture.start_mailer(Config { public_url: Some("https://t.example.org".into()), ..Config::default() }).await;
    let ann = fixture.create("Ann", "ann@x.org").await;
    fixture.until_status("sent", 1).await;
    let folder = fixture.harness.settings().data.join("mail");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_str().unwrap();
    let requested = fixture.last_request().await;
    let (time, rest) = name.split_once('-').unwrap();
    assert!(Millis(time.parse().unwrap()) >= ann.created_at);
    assert_eq!(rest, format!("{}.eml", requested.invitation_id));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&files[0]), mode(&folder)), (0o600, 0o700));

    // The file is quoted-printable, so long lines are broken and `=` is encoded (RFC 2045, 6.7).
    let text = fs::read_to_string(&files[0]).unwrap().replace("=\r\n", "").replace("=3D", "=");
    assert!(text.contains("https://t.example.org/activate?token=") && text.contains("text/html"));
    assert!(fixture.activate(token_in(&text)).await.unwrap().is_active);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn production_does_not_start_without_a_mail_server() {
    let fixture = Fixture::start().await;
    let mut deps = fixture.harness.deps(contracts::Service::Mailer).await;
    deps.environment = Environment::Production;
    let config = Config { email_password: Some(Secret::new("")), ..Config::default() };
    let refused = mailer::run(config, deps, kit::Shutdown::new()).await.unwrap_err();
    assert!(refused.is::<kit::config::Refused>());
    assert!(refused.to_string().contains("EMAIL_HOST"), "{refused}");
    fixture.harness.finish().await;
}
