use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::password_field::SCRIPT;

const STYLE: &str = "
:root { color-scheme: light dark; }
body { margin: 0; padding: 2rem 1rem; overflow-wrap: anywhere; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#f4f5f7, #16181d); color: light-dark(#1d2129, #e6e8ec); }
main { max-width: 26rem; margin: 6vh auto; padding: 2rem; border-radius: .75rem; background: light-dark(#fff, #20242b); box-shadow: 0 1px 4px #0003; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.25; }
a { color: inherit; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; margin-top: .25rem; padding: .6rem .75rem; font: inherit; border: 1px solid #868e9c; border-radius: .4rem; background: light-dark(#fff, #16181d); color: inherit; }
input[readonly] { background: none; border-style: dashed; }
button { width: 100%; margin-top: 1.5rem; padding: .7rem; font: inherit; font-weight: 600; border: 0; border-radius: .4rem; background: #1f5fd0; color: #fff; cursor: pointer; }
:focus-visible { outline: 3px solid #5b93f5; outline-offset: 2px; }
[hidden] { display: none; }
input[type=checkbox] { width: auto; margin: 0 .25rem 0 0; }
.show { margin-top: .35rem; font-weight: 400; }
.hint { margin: .35rem 0 0; font-size: .9rem; }
.error { margin: 1rem 0 0; padding: .6rem .75rem; border-left: 4px solid #c62f2f; background: light-dark(#fdeceb, #3a2022); }
";

/// The content security policy of a page without script: it allows our inline style and forms that
/// are submitted to this gateway, and nothing else. No page may embed it in a frame.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy(""));
/// The content security policy of a page with a password field: it also allows the script of that
/// field.
static POLICY_WITH_SCRIPT: LazyLock<HeaderValue> =
    LazyLock::new(|| policy(&format!(" script-src 'sha256-{}';", hash(SCRIPT))));

fn policy(scripts: &str) -> HeaderValue {
    let style = hash(STYLE);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}';{scripts} form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    // The conversion cannot fail, because Base64 is valid in a header. If it did, the fallback
    // policy would break the page visibly, but not make it less secure.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}

/// A page without password field. It is not cached, because its URL may contain a token.
pub(super) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    respond(status, title, content, &POLICY, None)
}

/// A page with a password field and its script.
pub(super) fn page_with_password(status: StatusCode, title: &str, content: &Markup) -> Response {
    respond(status, title, content, &POLICY_WITH_SCRIPT, Some(SCRIPT))
}

fn respond(status: StatusCode, title: &str, content: &Markup, policy: &HeaderValue, script: Option<&str>) -> Response {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " – T3" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                }
                @if let Some(script) = script {
                    script { (PreEscaped(script)) }
                }
            }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, html.into_string()).into_response()
}
