//! Returns the memory of closed connections to the operating system.
//!
//! The allocator keeps freed memory for later, and returns it only at the end of its heap. After thousands of
//! connections at once, the process would keep most of that memory for good. So it is returned explicitly once most
//! connections have closed.

use std::time::Duration;

use kit::Shutdown;

use super::bounds::Bounds;

/// How often this is checked.
const EVERY: Duration = Duration::from_secs(10);

/// Until shutdown, returns memory to the operating system: once after the start, and whenever most connections have
/// closed.
pub(super) async fn give_back(bounds: Bounds, shutdown: &Shutdown) {
    trim();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.stopping() => return,
        }
        // On a blocking thread: the call walks the whole heap.
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

/// Other allocators have no such function.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
