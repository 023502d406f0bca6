//! Gets what is missing from the system's package manager.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::command::Command;
use super::interrupt::Interrupts;
use super::machine::Machine;
use super::servers::Server;
use crate::{Failure, say};

/// It adds what is missing, and changes nothing of what is there.
const INSTALL: &[&str] = &["install", "-y", "--no-install-recommends", "--no-upgrade"];

/// Tries to install `absent`; whether they are there afterwards is for the caller to see.
pub(super) async fn install(
    machine: &Machine,
    absent: &[&Server],
    interrupts: &mut Interrupts,
) -> Result<(), Failure> {
    if machine.is_macos && machine.on_path("brew").is_some() {
        brew(absent).run(interrupts).await?;
    } else if machine.is_root && has_apt(machine) {
        // Tests bring their own servers, so that none of the system's needs to run.
        let _quiet = NoServices::ordered(Path::new("/usr/sbin/policy-rc.d"))?;
        if !apt(absent).run(interrupts).await?.success() {
            say("its lists of packages may be old or missing");
            let update = Command::new("apt-get", &["update"]);
            if update.run(interrupts).await?.success() {
                apt(absent).run(interrupts).await?;
            }
        }
    }
    Ok(())
}

/// Tries to install a container engine, which is nobody's service but the run's; whether it is there afterwards is for the
/// caller to see.
pub(super) async fn docker(machine: &Machine, interrupts: &mut Interrupts) -> Result<(), Failure> {
    if machine.is_root && has_apt(machine) {
        let _quiet = NoServices::ordered(Path::new("/usr/sbin/policy-rc.d"))?;
        let get = || {
            let command = Command::new("apt-get", INSTALL).args(["docker.io"]);
            command.env("DEBIAN_FRONTEND", "noninteractive")
        };
        if !get().run(interrupts).await?.success()
            && Command::new("apt-get", &["update"]).run(interrupts).await?.success()
        {
            get().run(interrupts).await?;
        }
    }
    Ok(())
}

/// The one command that gets them, for those who have to do it themselves.
pub(super) fn remedy(machine: &Machine, missing: &[&Server]) -> String {
    if machine.is_macos {
        brew(missing).to_string()
    } else if has_apt(machine) && machine.is_root {
        apt(missing).to_string()
    } else if has_apt(machine) {
        format!("sudo {}", apt(missing).without_environment())
    } else {
        let names: Vec<_> = missing.iter().map(|server| server.name).collect();
        format!("install {} with your system's package manager", names.join(" and "))
    }
}

fn has_apt(machine: &Machine) -> bool {
    machine.is_debian && machine.on_path("apt-get").is_some()
}

fn apt(servers: &[&Server]) -> Command {
    let packages = servers.iter().map(|server| server.debian);
    Command::new("apt-get", INSTALL).args(packages).env("DEBIAN_FRONTEND", "noninteractive")
}

fn brew(servers: &[&Server]) -> Command {
    Command::new("brew", &["install"]).args(servers.iter().map(|server| server.brew))
}

/// Debian starts a service as soon as it is installed, unless this file says no.
///
/// The file is removed afterwards. Where that did not happen, after kill -9, it does no harm: it says no only as long
/// as the process lives that wrote it. A file that was there before is somebody's decision and stays.
#[derive(Debug)]
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn ordered(path: &Path) -> io::Result<Self> {
        let mut file = match File::create_new(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Self(None)),
            Err(error) => return Err(error),
        };
        let order = Self(Some(path.to_owned()));
        let process = std::process::id();
        write!(file, "#!/bin/sh\nif [ -d /proc/{process} ]; then exit 101; fi\n")?;
        file.set_permissions(Permissions::from_mode(0o755))?;
        Ok(order)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            say(format_args!("{} could not be removed: {error}", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::tests::with_programs;
    use super::super::servers::SERVERS;
    use super::*;

    #[test]
    fn the_remedy_is_one_command_for_everything() {
        let all: Vec<_> = SERVERS.iter().collect();
        let (_folder, machine) = with_programs(&["apt-get"]);
        let debian = Machine { is_debian: true, ..machine };
        let packages =
            "redis-server postgresql mariadb-server etcd-server zookeeper chromium python3-pip npm";
        let packages = format!("apt-get {} {packages}", INSTALL.join(" "));
        assert_eq!(remedy(&debian, &all), format!("sudo {packages}"));
        let root = Machine { is_root: true, ..debian };
        assert_eq!(remedy(&root, &all), format!("DEBIAN_FRONTEND=noninteractive {packages}"));
        let macos = Machine { is_macos: true, ..Machine::default() };
        let formulae = "redis postgresql@17 mariadb etcd zookeeper chromium python node";
        assert_eq!(remedy(&macos, &all), format!("brew install {formulae}"));
        let other = remedy(&Machine::default(), &all[..2]);
        assert_eq!(other, "install redis-server and Postgres with your system's package manager");
    }

    #[test]
    fn services_are_refused_for_as_long_as_the_order_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        let order = NoServices::ordered(&path).unwrap();
        let asked = std::process::Command::new(&path).status().unwrap();
        assert_eq!(asked.code(), Some(101));
        drop(order);
        assert!(!path.exists());
    }

    #[test]
    fn an_order_that_was_there_before_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy-rc.d");
        fs::write(&path, "theirs").unwrap();
        drop(NoServices::ordered(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    }
}
