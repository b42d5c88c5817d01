//! Disks that lose their power: what a server has written but not synced is gone afterwards. SIGKILL
//! cannot show this, because the kernel keeps the writes of a killed process. Each disk is an ext4
//! file system in an image file. The power is cut with the `shutdown` command of xfsprogs, which
//! makes a file system drop all that is not on its disk yet; it is how file systems themselves are
//! tested. Mounting the image again reads what a machine would find after a power failure.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bench::fleet::{Cluster, Seat};
use servers::Place;

use super::network::{has_own_mounts, path, run};

/// The folder of the disks. This process has a mount namespace of its own, so other processes do
/// not see the changes in it.
const FOLDER: &str = "/mnt";
/// The size of a disk. Its image is in memory, which it uses only for what is written.
const SIZE: u64 = 4 << 30;
/// The packages with the programs that are used here.
const REMEDY: &str = "run as root on Linux, with `apt-get install e2fsprogs xfsprogs util-linux`";
/// How often unmounting and mounting are tried, and the pause between two attempts. The files of a
/// killed process are closed a moment after its end, and a loop device is free a moment after its
/// disk is unmounted.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// The disks of NATS and of MongoDB.
#[derive(Debug)]
pub(crate) struct Disks([Disk; 2]);

#[derive(Debug)]
struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disks {
    /// Makes the disks, and cuts the power of each once to see that this loses unsynced data only.
    ///
    /// # Errors
    /// When this machine or user does not allow it.
    pub(crate) fn make() -> Result<Self> {
        Self::try_to_make().with_context(|| format!("disks cannot lose their power: {REMEDY}"))
    }

    fn try_to_make() -> Result<Self> {
        ensure!(has_own_mounts(), "unshare --mount does not work");
        run("mount", &["-t", "tmpfs", "-o", "size=8g", "tmpfs", FOLDER])?;
        let disks = Self([Disk::make("nats")?, Disk::make("mongo")?]);
        disks.0.iter().try_for_each(Disk::try_out)?;
        Ok(disks)
    }

    /// Returns the folders of the servers: one server of each kind, on loopback.
    pub(crate) fn seats(&self) -> Cluster {
        let [nats, mongo] =
            self.0.each_ref().map(|disk| vec![Seat { place: Place::default(), dir: disk.mounted.join("server") }]);
        Cluster { nats, mongo }
    }

    /// Writes everything to the disks. Without this, a power cut soon after the start would also lose
    /// the streams themselves, which servers of a real system have had for days.
    pub(crate) fn sync(&self) -> Result<()> {
        self.0.iter().try_for_each(|disk| run("sync", &["--file-system", path(&disk.mounted)?]))
    }

    /// Cuts the power of these disks, of NATS and of MongoDB, and mounts them again. Their servers
    /// must have ended.
    pub(crate) fn lose_power(&self, which: [bool; 2]) -> Result<()> {
        let disks = || self.0.iter().zip(which).filter(|(_, is_hit)| *is_hit).map(|(disk, _)| disk);
        // Both disks lose their power at the same moment, as far as possible.
        disks().try_for_each(Disk::shut_down)?;
        disks().try_for_each(Disk::mount_again)
    }
}

fn repeated(attempt: impl Fn() -> Result<()>) -> Result<()> {
    let mut tries = 1;
    while let Err(error) = attempt() {
        if tries == TRIES {
            return Err(error);
        }
        tries += 1;
        sleep(PAUSE);
    }
    Ok(())
}

impl Disk {
    fn make(name: &str) -> Result<Self> {
        let disk =
            Self { image: Path::new(FOLDER).join(format!("{name}.ext4")), mounted: Path::new(FOLDER).join(name) };
        File::create(&disk.image)?.set_len(SIZE)?;
        run("mkfs.ext4", &["-q", "-F", path(&disk.image)?])?;
        std::fs::create_dir(&disk.mounted)?;
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        run("mount", &["-o", "loop", path(&self.image)?, path(&self.mounted)?])
    }

    fn shut_down(&self) -> Result<()> {
        run("xfs_io", &["-x", "-c", "shutdown", path(&self.mounted)?])
    }

    fn mount_again(&self) -> Result<()> {
        let mounted = path(&self.mounted)?;
        repeated(|| run("umount", &[mounted]))?;
        repeated(|| self.mount())
    }

    fn try_out(&self) -> Result<()> {
        let [synced, unsynced] = ["synced", "unsynced"].map(|name| self.mounted.join(name));
        let write = |file: &Path| -> Result<File> {
            let mut written = File::create(file)?;
            written.write_all(b"written")?;
            Ok(written)
        };
        write(&synced)?.sync_all()?;
        write(&unsynced)?;
        self.shut_down()?;
        self.mount_again()?;
        ensure!(std::fs::read(&synced)? == b"written", "a power cut loses what was synced");
        ensure!(!unsynced.exists(), "a power cut does not lose what was not synced");
        Ok(())
    }
}
