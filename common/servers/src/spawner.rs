//! The one thread that starts every server, so that they die when this process does.
//!
//! The kernel sends a child its parent-death signal when the *thread* that spawned it ends. A
//! tokio worker, or the thread of a test, ends long before the process. This one lives as long.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{LazyLock, mpsc};
use std::thread;

struct Request {
    command: Command,
    reply: mpsc::Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<io::Result<mpsc::Sender<Request>>> = LazyLock::new(|| {
    let (requests, inbox) = mpsc::channel::<Request>();
    // The sender stands in a static, which is never dropped: the loop never ends.
    thread::Builder::new().name("servers-spawner".into()).spawn(move || {
        for Request { mut command, reply } in inbox {
            // The caller blocks on the reply, so somebody takes it.
            let _ = reply.send(command.spawn());
        }
    })?;
    Ok(requests)
});

/// Starts the command in a process group of its own, bound to the life of this process.
///
/// Blocks for about a millisecond, on purpose: a future could be dropped half-way and leave a
/// child without an owner.
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
    // A group of its own: a Ctrl-C on the terminal reaches us alone, and we stop the servers last.
    command.process_group(0);
    bind_to_us(&mut command);
    let requests = SPAWNER.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    let gone = || io::Error::other("the thread that starts servers is gone");
    let (reply, answer) = mpsc::channel();
    requests.send(Request { command, reply }).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

#[expect(
    unsafe_code,
    reason = "pre_exec runs in the forked child, where only async-signal-safe calls are sound: \
              the closure makes plain system calls and allocates nothing"
)]
fn bind_to_us(command: &mut Command) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    #[cfg(target_os = "linux")]
    let us = rustix::process::getpid();
    let prepare = move || {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Signal, getppid, set_parent_process_death_signal};
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // Had we died between fork and the line above, no signal would ever come.
            if getppid() != Some(us) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        // mongod keeps a file open for each collection and index; 1024 are soon gone.
        let mut files = getrlimit(Resource::Nofile);
        files.current = files.maximum;
        // Best effort: a refusal leaves the limit as it was.
        let _ = setrlimit(Resource::Nofile, files);
        Ok(())
    };
    // SAFETY: see the reason above.
    unsafe {
        command.pre_exec(prepare);
    }
}
