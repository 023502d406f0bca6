//! pgbench, sending what our store sends.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lockproof_bookings::{BookingStore, Constraints, Layout, PostgresStore};
use lockproof_rig::DatabaseEngine;
use lockproof_rig::live::{Database, Provider};
use tokio::runtime::Runtime;

use crate::say;

/// The tables of both.
pub(super) const LAYOUT: Layout = Layout { slots: 16, capacity: 1, constraints: Constraints::NONE };

/// A slot's row, by a transaction that does nothing else.
pub(super) const ROW_LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT capacity, version, fence FROM {schema}.slots WHERE slot = :client_id + 1 FOR UPDATE;
COMMIT;";

/// The statements of `lease-row`, the database's clock included.
pub(super) const LEASE: &str = "INSERT INTO {schema}.leases AS held (lock, owner, expires, token) VALUES ('slot-' || :client_id, 'pgbench', coalesce(NULL::bigint, {now}) + 30000, 1) ON CONFLICT (lock) DO UPDATE SET owner = excluded.owner, expires = coalesce(NULL::bigint, {now}) + 30000, token = held.token + 1 WHERE held.expires < coalesce(NULL::bigint, {now}) RETURNING token;
UPDATE {schema}.leases SET expires = -1 WHERE lock = 'slot-' || :client_id AND owner = 'pgbench' AND expires >= coalesce(NULL::bigint, {now}) RETURNING token;";

/// Those of `pg-advisory-session`.
pub(super) const ADVISORY: &str = "SELECT pg_try_advisory_lock(:client_id);
SELECT pg_advisory_unlock(:client_id);";

const NOW: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The program, and the tables that it is let at.
#[derive(Debug)]
pub(super) struct Pgbench {
    url: String,
    schema: String,
    script: PathBuf,
    _directory: tempfile::TempDir,
}

impl Pgbench {
    /// `None`, and a line that says so, where there is no pgbench.
    pub(super) fn prepare(runtime: &Runtime, provider: &dyn Provider) -> Option<Self> {
        if Command::new("pgbench").arg("--version").output().is_err() {
            say("skipped: pgbench was not found (Debian: postgresql-contrib)");
            return None;
        }
        let database = provider.database("pgbench", Some(DatabaseEngine::Postgres));
        let database = runtime.block_on(database).expect("Postgres can be started");
        let Database::Postgres { address, schema, .. } = &database else {
            panic!("asked for Postgres, got {database:?}")
        };
        let (url, schema) = (address.url().expect("it has a URL").to_owned(), schema.clone());
        let (judge, holders) = (address.as_ref().clone(), address.as_ref().clone());
        let name = schema.parse().expect("it is a name");
        let store = PostgresStore::new(name, judge, move |_| holders.clone());
        runtime.block_on(store.create(LAYOUT)).expect("the tables can be made");
        let directory = tempfile::tempdir().expect("there is room for a script");
        let script = directory.path().join("pair.sql");
        Some(Self { url, schema, script, _directory: directory })
    }

    /// How many pairs a second so many connections come to.
    pub(super) fn pairs_per_second(&self, text: &str, holders: u32, length: Duration) -> f64 {
        let text = text.replace("{schema}", &self.schema).replace("{now}", NOW);
        std::fs::write(&self.script, text).expect("the script can be written");
        let mut command = Command::new("pgbench");
        command.args(["-M", "prepared", "-n", "-j", "1", "-c", &holders.to_string()]);
        command.args(["-T", &length.as_secs().to_string(), "-f"]).arg(&self.script).arg(&self.url);
        let output = command.output().expect("pgbench runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        tps.and_then(|tps| tps.parse().ok())
            .unwrap_or_else(|| panic!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)))
    }
}
