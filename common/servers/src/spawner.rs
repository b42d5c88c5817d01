//! The thread that starts every server, so that the servers end with this process.
//!
//! The kernel sends a child its parent-death signal when the *thread* that started the child ends.
//! A tokio worker or the thread of a test can end long before the process. The thread here ends
//! only with the process.

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
    // The sender is in a static, which is never dropped. So the loop ends only with the process.
    thread::Builder::new().name("servers-spawner".into()).spawn(move || {
        for Request { mut command, reply } in inbox {
            // Sending cannot fail, because the caller waits for the reply.
            let _ = reply.send(command.spawn());
        }
    })?;
    Ok(requests)
});

/// Starts a command in a new process group. The child is killed when this process ends.
///
/// This function blocks for about a millisecond. An async function could be cancelled between the
/// start and the reply, and would leave a child without an owner.
///
/// # Errors
/// When the program cannot be started.
pub fn spawn(mut command: Command) -> io::Result<Child> {
    // Ctrl-C on the terminal then signals only this process, which stops the servers last.
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
            // If the parent has died before the line above, the signal never comes.
            if getppid() != Some(us) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        // mongod keeps a file open for each collection and index, for which the usual limit of 1024
        // open files is too low.
        let mut files = getrlimit(Resource::Nofile);
        files.current = files.maximum;
        // An error is ignored: the limit then stays as it was.
        let _ = setrlimit(Resource::Nofile, files);
        Ok(())
    };
    // SAFETY: the attribute `expect` above has the reason.
    unsafe {
        command.pre_exec(prepare);
    }
}
