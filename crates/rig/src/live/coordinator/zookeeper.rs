//! `ZooKeeper`, one server by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_locks::zookeeper::word;

use super::dial_to;
use super::process::{Home, Kind};
use crate::RigError;
use crate::live::children::find_program;

/// Where Debian has it.
const JAR: &str = "/usr/share/java/zookeeper.jar";
/// Where a release that was unpacked by hand is.
const HOME: &str = "ZOOKEEPER_HOME";
/// Without one, what it has to say is lost; some installations bring another.
const LOGGER: &str = "/usr/share/java/slf4j-simple.jar";
const CONFIGURATION: &str = "zoo.cfg";

/// A virtual machine for a server of a few nodes, quick to start.
const MACHINE: [&str; 6] = [
    "-Xmx128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    // A process that is killed leaves its pages to the kernel, so that nothing is lost without it.
    "-Dzookeeper.forceSync=no",
    "-Dzookeeper.jmx.log4j.disable=true",
];

#[derive(Debug)]
pub(super) struct ZooKeeper;

/// What the virtual machine is to load, where it is installed.
pub(in crate::live) fn program() -> Option<(PathBuf, String)> {
    let java = find_program("java", &[])?;
    if let Some(home) = std::env::var_os(HOME) {
        let libraries = Path::new(&home).join("lib");
        return libraries.is_dir().then(|| (java, format!("{}/*", libraries.display())));
    }
    Path::new(JAR).is_file().then(|| (java, format!("{JAR}:{LOGGER}")))
}

/// What a server that was asked for `srvr` has said of its version.
pub(super) fn version(said: &str) -> Option<&str> {
    let version = said.lines().find_map(|line| line.strip_prefix("Zookeeper version: "))?;
    version.split(['-', ',']).next()
}

impl Kind for ZooKeeper {
    fn name(&self) -> &'static str {
        "zookeeper"
    }

    fn program(&self) -> Result<PathBuf, RigError> {
        program().map(|(java, _)| java).ok_or_else(|| {
            RigError::new(format!(
                "ZooKeeper is not installed: java on PATH with {JAR}, or a release in {HOME} (Debian: apt-get install zookeeper)"
            ))
        })
    }

    /// Sessions are ended in steps of a tick, the shortest after two: this one is short, so that a timeout means what it
    /// says.
    fn set_up(&self, home: &Home) -> std::io::Result<()> {
        let (ip, port) = (home.address.ip(), home.address.port());
        let data = home.directory.join("data");
        std::fs::create_dir(&data)?;
        let text = format!(
            "tickTime=50\nmaxSessionTimeout=3600000\nmaxClientCnxns=0\nadmin.enableServer=false\n\
             4lw.commands.whitelist=srvr,envi\ndataDir={}\nclientPortAddress={ip}\nclientPort={port}\n",
            data.display()
        );
        std::fs::write(home.directory.join(CONFIGURATION), text)
    }

    fn arguments(&self, _home: &Home, command: &mut Command) {
        let classes = program().map(|(_, classes)| classes).unwrap_or_default();
        command.args(MACHINE).arg("-cp").arg(classes);
        command.arg("org.apache.zookeeper.server.quorum.QuorumPeerMain").arg(CONFIGURATION);
    }

    fn who_answers<'a>(&'a self, home: &'a Home, env: &'a Env) -> BoxFuture<'a, Option<String>> {
        async move {
            let dial = dial_to(home.address);
            let directory = home.directory.canonicalize().ok()?;
            let environment = word(&dial, env, "envi").await.ok()?;
            let works_in = environment.lines().find_map(|line| line.strip_prefix("user.dir="))?;
            if Path::new(works_in) != directory {
                return None;
            }
            // It answers before it has read what it had kept, and says then that it does not serve.
            let said = word(&dial, env, "srvr").await.ok()?;
            said.contains("Mode: ").then(|| version(&said).map(ToOwned::to_owned)).flatten()
        }
        .boxed()
    }
}
