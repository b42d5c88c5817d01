use crate::config::{Refused, given};

/// The address of the gateway if `PUBLIC_URL` is not set.
const LOCAL_URL: &str = "http://127.0.0.1:8000";

/// The URL at which browsers reach the gateway, from the setting `PUBLIC_URL`. It has a path if a
/// reverse proxy serves the gateway under that path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// The URL without a slash at its end.
    text: String,
    /// The byte index in `text` at which the path begins.
    path: usize,
}

impl PublicUrl {
    /// Reads the setting, or takes the default URL if the setting is empty or None.
    ///
    /// # Errors
    /// When the URL is malformed, so that links that begin with it could not work.
    pub fn read(setting: Option<&String>) -> Result<Self, Refused> {
        let text = given(setting).unwrap_or(LOCAL_URL).trim_end_matches('/');
        let refused = || {
            Refused(
                "PUBLIC_URL must be an address such as https://time.example.org or https://example.org/t3, without ? \
                 and #"
                    .into(),
            )
        };
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(refused)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let fits = |text: &str, others: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
        let segments_fit = path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."));
        if host.is_empty() || host.starts_with(':') || !fits(host, "-._:[]") || !fits(path, "-._~/") || !segments_fit {
            return Err(refused());
        }
        Ok(Self { text: text.to_owned(), path: text.len() - path.len() })
    }

    /// The full URL of a path of the gateway, for links in mails.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// A path of the gateway as browsers must request it, for links in pages and other bodies. Do
    /// not use it for the headers `Location` and `Link`: the gateway adds the proxy's path to these
    /// headers itself.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// The path under which a reverse proxy serves the gateway, such as `/t3`. Empty without such a
    /// path.
    pub fn base(&self) -> &str {
        &self.text[self.path..]
    }

    /// The host name or IP address, without the port.
    pub fn host(&self) -> &str {
        let host = self.text[..self.path].split_once("://").map_or("", |(_, host)| host);
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PublicUrl, String> {
        PublicUrl::read(Some(&text.to_owned())).map_err(|refused| refused.0)
    }

    #[test]
    fn links_start_with_an_http_address_without_a_slash_at_its_end() {
        assert_eq!(PublicUrl::read(None).unwrap().link("/x"), "http://127.0.0.1:8000/x");
        assert_eq!(read(" ").unwrap().link("/x"), "http://127.0.0.1:8000/x");
        assert_eq!(read("https://time.example.org/").unwrap().link("/x"), "https://time.example.org/x");
        assert_eq!(read("https://example.org/a/t3/").unwrap().link("/x"), "https://example.org/a/t3/x");
        for bad in [
            "time.example.org",
            "ftp://x.org",
            "https://",
            "https:///t3",
            "http://:8000",
            "https://x.org/?a",
            "https://x.org/#a",
            "https://x y",
            "https://x.org//t3",
            "https://x.org/a/../t3",
            "https://x.org/t%33",
        ] {
            assert!(read(bad).unwrap_err().contains("PUBLIC_URL"), "{bad}");
        }
    }

    #[test]
    fn paths_begin_with_that_of_the_proxy_and_have_no_host() {
        let path = |text| read(text).unwrap().path("/activate");
        assert_eq!(path("https://time.example.org"), "/activate");
        assert_eq!(path("https://example.org/t3/"), "/t3/activate");
    }

    #[test]
    fn the_host_has_no_port() {
        for (text, host) in [
            ("https://time.example.org:8443/t3", "time.example.org"),
            ("http://time.example.org", "time.example.org"),
            ("http://[2001:db8::1]:8000", "[2001:db8::1]"),
            ("http://[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(read(text).unwrap().host(), host, "{text}");
        }
    }
}
