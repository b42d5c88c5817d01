//! The static files of the pages: our stylesheet and icon, and htmx.
//!
//! htmx 4.0.1 (npm `htmx.org`, Zero-Clause BSD) is the unchanged `dist/htmx.min.js`,
//! sha256 a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

use crate::App;

/// A file whose name contains a hash of its content, so that browsers may cache it for a year.
pub(super) struct Asset {
    /// The URL path, with the hash.
    pub(super) path: String,
    kind: &'static str,
    content: &'static str,
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_str!("assets/style.css")));
pub(super) static HTMX: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("htmx", "js", "text/javascript; charset=utf-8", include_str!("assets/htmx-4.0.1.min.js"))
});
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/favicon.svg")));

impl Asset {
    fn new(name: &str, extension: &str, kind: &'static str, content: &'static str) -> Self {
        let hash: String = Sha256::digest(content).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { path: format!("/console/assets/{name}-{hash}.{extension}"), kind, content }
    }

    fn answer(&self, keep: HeaderValue) -> Response {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(self.kind)), (header::CACHE_CONTROL, keep)];
        (headers, self.content).into_response()
    }
}

/// The routes of all assets, and the route of the icon at `/favicon.ico`, which browsers request
/// without a link.
pub(super) fn router() -> Router<Arc<App>> {
    let for_good = HeaderValue::from_static("public, max-age=31536000, immutable");
    let router = [&*STYLE, &*HTMX, &*ICON].into_iter().fold(Router::new(), |router, asset| {
        let keep = for_good.clone();
        router.route(&asset.path, get(move || std::future::ready(asset.answer(keep.clone()))))
    });
    let a_day = HeaderValue::from_static("public, max-age=86400");
    router.route("/favicon.ico", get(move || std::future::ready(ICON.answer(a_day.clone()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn htmx_is_the_file_that_is_named_here() {
        let hash: String = Sha256::digest(HTMX.content).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(include_str!("assets.rs").contains(&format!("sha256 {hash}.")));
    }
}
