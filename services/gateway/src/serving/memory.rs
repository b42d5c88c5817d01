//! Returns the memory of closed connections to the operating system.
//!
//! The allocator keeps freed memory for later, and returns only memory at the end of its heap.
//! After thousands of concurrent connections, the process would keep most of their memory for as
//! long as it runs. Therefore the memory is returned explicitly when most connections have closed.

use std::time::Duration;

use kit::Shutdown;

use super::bounds::Bounds;

/// How often the number of connections is checked.
const EVERY: Duration = Duration::from_secs(10);

/// Returns memory to the operating system until shutdown: once after the start, and each time when
/// most connections have closed.
pub(super) async fn give_back(bounds: Bounds, shutdown: &Shutdown) {
    trim();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.stopping() => return,
        }
        // The call runs on a blocking thread, because it walks the whole heap.
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

/// Does nothing, because other allocators have no such function.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
