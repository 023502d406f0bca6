//! etcd, one member that is its own majority.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_locks::etcd::EtcdClient;

use super::dial_to;
use super::process::{Home, Kind};
use crate::RigError;
use crate::live::children::find_program;

const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// etcd keeps no lease shorter than one and a half election timeouts, in whole seconds: 2 s by its defaults, 1 s by
/// these, so that a TTL means what it says.
const SETTINGS: [&str; 4] = ["--heartbeat-interval", "20", "--election-timeout", "200"];

#[derive(Debug)]
pub(super) struct Etcd;

/// The program, where it is installed.
pub(in crate::live) fn program() -> Option<PathBuf> {
    find_program("etcd", &[])
}

impl Kind for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    fn program(&self) -> Result<PathBuf, RigError> {
        program().ok_or_else(|| {
            RigError::new("etcd is not on PATH; install it (Debian: apt-get install etcd-server)")
        })
    }

    fn arguments(&self, home: &Home, command: &mut Command) {
        let (clients, peers) =
            (format!("http://{}", home.address), format!("http://{}", home.peers));
        let name = home.name();
        command
            .args(["--name", &name, "--data-dir", "data"])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("{name}={peers}")])
            .args(["--logger", "zap", "--log-level", "error"])
            .args(SETTINGS);
        // The environment speaks to it as flags do, and a machine's own server may be set up by it.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("ETCD_") {
                command.env_remove(variable);
            }
        }
    }

    fn who_answers<'a>(&'a self, home: &'a Home, env: &'a Env) -> BoxFuture<'a, Option<String>> {
        async move {
            let mut etcd = EtcdClient::new(dial_to(home.address), env.clone(), ANSWER_WITHIN);
            let version = etcd.open().await.ok()?;
            let is_ours = etcd.member().await.ok()? == home.name();
            // It answers before it has a leader, without whom nothing is agreed to.
            let serves = is_ours && etcd.get("lockproof").await.is_ok();
            serves.then_some(version)
        }
        .boxed()
    }
}
