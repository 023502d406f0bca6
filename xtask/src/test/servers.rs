//! The servers that tests need, and where they are; and the languages whose locks are tried on the redis model.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::Machine;
use crate::Failure;

/// Names a Postgres that tests may fill with schemas of their own.
pub(super) const POSTGRES_URL: &str = "LOCKPROOF_TEST_POSTGRES_URL";
/// The same of a MariaDB.
pub(super) const MARIADB_URL: &str = "LOCKPROOF_TEST_MARIADB_URL";
const REDIS_SERVER: &str = "LOCKPROOF_TEST_REDIS_SERVER";

const ETCD: &str = "LOCKPROOF_TEST_ETCD";
const ZOOKEEPER: &str = "LOCKPROOF_TEST_ZOOKEEPER";
const CHROMIUM: &str = "LOCKPROOF_TEST_CHROMIUM";
const PYTHON: &str = "LOCKPROOF_TEST_PYTHON";
const NODE: &str = "LOCKPROOF_TEST_NODE";

/// Every server that some test needs, and what is treated like one.
pub(super) const SERVERS: &[Server] = &[
    Server {
        name: "redis-server",
        variable: REDIS_SERVER,
        programs: &["redis-server"],
        debian: "redis-server",
        brew: "redis",
        module: "redis_server",
        absence: Absence::Mended,
    },
    Server {
        name: "Postgres",
        variable: POSTGRES_URL,
        programs: &["postgres", "initdb"],
        debian: "postgresql",
        brew: "postgresql@17",
        module: "postgres",
        absence: Absence::Mended,
    },
    Server {
        name: "MariaDB",
        variable: MARIADB_URL,
        programs: &["mariadbd", "mariadb-install-db"],
        debian: "mariadb-server",
        brew: "mariadb",
        module: "mariadb",
        absence: Absence::Mended,
    },
    Server {
        name: "etcd",
        variable: ETCD,
        programs: &["etcd"],
        debian: "etcd-server",
        brew: "etcd",
        module: "etcd",
        absence: Absence::Mended,
    },
    Server {
        name: "ZooKeeper",
        variable: ZOOKEEPER,
        // What starts it tells that it is there; tests start its virtual machine themselves.
        programs: &["zkServer.sh", "java"],
        debian: "zookeeper",
        brew: "zookeeper",
        module: "zookeeper",
        absence: Absence::Mended,
    },
    Server {
        name: "Chromium",
        variable: CHROMIUM,
        programs: &["chromium"],
        debian: "chromium",
        brew: "chromium",
        module: "chromium",
        absence: Absence::Mended,
    },
    Server {
        name: "Python",
        variable: PYTHON,
        programs: &["python3"],
        debian: "python3-pip",
        brew: "python",
        module: "python",
        absence: Absence::Said,
    },
    Server {
        name: "Node",
        variable: NODE,
        programs: &["node", "npm"],
        debian: "npm",
        brew: "node",
        module: "node",
        absence: Absence::Said,
    },
];

/// A server that some test needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// As people call it.
    pub(super) name: &'static str,
    /// The variable that names one.
    pub(super) variable: &'static str,
    /// What must be there to start one.
    programs: &'static [&'static str],
    /// Its package on Debian.
    pub(super) debian: &'static str,
    /// Its package on macOS.
    pub(super) brew: &'static str,
    /// By this module's name an integration test says that it needs one.
    pub(super) module: &'static str,
    /// What happens where there is none.
    pub(super) absence: Absence,
}

/// What is done about something that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is installed, if that can be done.
    Mended,
    /// It is said, with the command that helps: nobody wants a whole language unasked.
    Said,
}

/// Where a server is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It runs, and the environment says where.
    Named(String),
    /// It can be started.
    Program(PathBuf),
}

impl Server {
    /// Where it is on `machine`.
    ///
    /// # Errors
    /// The environment names one that is not there.
    pub(super) fn place(&self, machine: &Machine) -> Result<Option<Place>, Failure> {
        let Some(named) = machine.variable(self.variable) else {
            let programs: Option<Vec<_>> =
                self.programs.iter().map(|name| machine.program(name)).collect();
            return Ok(programs.and_then(|found| found.into_iter().next()).map(Place::Program));
        };
        if [POSTGRES_URL, MARIADB_URL].contains(&self.variable) {
            let url = named.to_str().ok_or_else(|| format!("{} is not UTF-8", self.variable))?;
            return Ok(Some(Place::Named(url.to_owned())));
        }
        // Tests find a program by its name on PATH, so under another name it would be in vain.
        let path = Path::new(named);
        if path.is_absolute() && path.is_file() && path.ends_with(self.programs[0]) {
            return Ok(Some(Place::Program(path.to_owned())));
        }
        let (variable, name) = (self.variable, self.programs[0]);
        Err(format!(
            "{variable} must be the whole path of a program called {name}; {} is not",
            path.display()
        )
        .into())
    }
}

/// The servers that are not there.
pub(super) fn missing(machine: &Machine) -> Result<Vec<&'static Server>, Failure> {
    let mut missing = Vec::new();
    for server in SERVERS {
        if server.place(machine)?.is_none() {
            missing.push(server);
        }
    }
    Ok(missing)
}

/// What there is of a database that tests share.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Database {
    /// One that runs.
    Named(String),
    /// Programs to start one with.
    Found,
    /// Nothing.
    Missing,
}

/// What there is on `machine` of the database that `variable` names.
pub(super) fn database(machine: &Machine, variable: &str) -> Database {
    let server = SERVERS.iter().find(|server| server.variable == variable);
    match server.and_then(|server| server.place(machine).ok().flatten()) {
        Some(Place::Named(url)) => Database::Named(url),
        Some(Place::Program(_)) => Database::Found,
        None => Database::Missing,
    }
}

/// Begins this program again when a server's folder has to come first on PATH, which is where tests look.
///
/// To change the variables of a running process is unsafe code; those of a new one are not.
pub(super) fn put_on_path(machine: &Machine) -> Result<(), Failure> {
    let folders = folders_off_path(machine)?;
    if folders.is_empty() {
        return Ok(());
    }
    let path = std::env::join_paths(folders.into_iter().chain(machine.path()))?;
    let mut again = Command::new(std::env::current_exe()?);
    Err(again.args(std::env::args_os().skip(1)).env("PATH", path).exec().into())
}

/// The folders of servers that PATH does not lead to.
fn folders_off_path(machine: &Machine) -> Result<Vec<PathBuf>, Failure> {
    let mut folders = Vec::new();
    for server in SERVERS {
        if let Some(Place::Program(path)) = server.place(machine)?
            && machine.on_path(server.programs[0]).as_ref() != Some(&path)
        {
            folders.extend(path.parent().map(Path::to_owned));
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::super::machine::tests::with_programs;
    use super::*;

    const EVERYTHING: &[&str] = &[
        "redis-server",
        "postgres",
        "initdb",
        "mariadbd",
        "mariadb-install-db",
        "etcd",
        "zkServer.sh",
        "java",
        "chromium",
        "python3",
        "node",
        "npm",
    ];

    fn names(machine: &Machine) -> Vec<&'static str> {
        missing(machine).unwrap().into_iter().map(|server| server.name).collect()
    }

    #[test]
    fn what_is_on_path_is_not_missing() {
        let (_folder, machine) = with_programs(EVERYTHING);
        assert_eq!(names(&machine), [""; 0]);
        assert_eq!(database(&machine, POSTGRES_URL), Database::Found);
        assert!(folders_off_path(&machine).unwrap().is_empty());
    }

    #[test]
    fn half_a_server_is_missing() {
        let (_folder, machine) =
            with_programs(&["postgres", "etcd", "java", "chromium", "python3", "node"]);
        assert_eq!(names(&machine), ["redis-server", "Postgres", "MariaDB", "ZooKeeper", "Node"]);
        assert_eq!(database(&machine, POSTGRES_URL), Database::Missing);
    }

    #[test]
    fn what_is_elsewhere_has_to_come_onto_path() {
        let (elsewhere, _) = with_programs(&["postgres", "initdb"]);
        let (folder, mut machine) = with_programs(EVERYTHING);
        for name in ["postgres", "initdb"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        machine.elsewhere.push(elsewhere.path().to_owned());
        assert_eq!(names(&machine), [""; 0]);
        assert_eq!(folders_off_path(&machine).unwrap(), [elsewhere.path()]);
    }

    #[test]
    fn the_environment_comes_first() {
        let (other, _) = with_programs(&["redis-server"]);
        let (_folder, machine) = with_programs(&["redis-server", "postgres", "initdb"]);
        let machine = machine
            .with(POSTGRES_URL, "postgres://elsewhere")
            .with(REDIS_SERVER, other.path().join("redis-server"));
        assert_eq!(
            database(&machine, POSTGRES_URL),
            Database::Named("postgres://elsewhere".to_owned())
        );
        assert_eq!(folders_off_path(&machine).unwrap(), [other.path()]);
    }

    #[test]
    fn a_name_that_leads_nowhere_is_rejected() {
        let (folder, machine) = with_programs(&["redis-server", "valkey-server"]);
        for wrong in ["nowhere/redis-server", "valkey-server"] {
            let machine = machine.clone().with(REDIS_SERVER, folder.path().join(wrong));
            let failure = missing(&machine).unwrap_err().to_string();
            assert!(failure.contains("a program called redis-server"), "{failure}");
        }
    }
}
