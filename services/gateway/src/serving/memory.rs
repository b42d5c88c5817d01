//! The memory of connections that are gone.
//!
//! The allocator keeps what is freed for whoever needs it next, and gives a place back by itself only
//! where nothing that is still held lies behind it. After thousands of connections at once that is
//! most of what the process holds, for good. So once most of them are gone it is asked for all of it.

use std::time::Duration;

use kit::Shutdown;

use super::bounds::Bounds;

/// How often it is looked whether most connections are gone.
const EVERY: Duration = Duration::from_secs(10);

/// Gives the memory of connections back once most of them are gone, until shutdown.
pub(super) async fn give_back(bounds: Bounds, shutdown: &Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.stopping() => return,
        }
        // It walks all that is free: not on a thread that answers.
        if bounds.most_are_gone() && tokio::task::spawn_blocking(trim).await.is_err() {
            tracing::warn!("memory could not be given back");
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "a function of glibc that has no safe form: it takes a number, touches no memory of ours, \
              and may be called by any thread"
)]
fn trim() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: see the reason above.
    unsafe {
        malloc_trim(0);
    }
}

/// Other allocators give back by themselves, or not at all.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
