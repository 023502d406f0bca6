//! Playing on a server, in lock step.
//!
//! Whether a statement waits is asked, not guessed by a time: it does when its backend has a lock in `pg_locks` that
//! was not granted. What is granted is so at once there, though who waited for it may sleep on for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lockproof_database_model::Statement;
use lockproof_env::{Env, live};
use lockproof_model::{
    AttemptId, BookingId, BookingRow, BookingTable, FencingToken, HolderId, SlotId, SlotRow, Span,
};
use tokio_postgres::{Client, Config, NoTls, Row};

use crate::script::{CAPACITY, Enforced, Line, Outcome, SESSIONS, SLOTS, Transcript};
use crate::server::statements::{Prepared, SETTINGS};

mod statements;

/// After which a statement is asked about. Most are answered before.
const SOON: Duration = Duration::from_millis(1);
/// Far more than `deadlock_timeout`, and than what a loaded machine adds to it.
const SETTLED: Duration = Duration::from_millis(15);

pub(crate) struct Server {
    env: Env,
    monitor: Client,
    sessions: Vec<Session>,
    schemas: [String; 3],
}

struct Session {
    backend: i32,
    /// By what the table enforces.
    prepared: [Prepared; 3],
}

type Answers<'a> = FuturesUnordered<BoxFuture<'a, (usize, Outcome)>>;

impl Server {
    pub(crate) async fn connect(config: &Config) -> Self {
        let env = live::env(1);
        let monitor = dial(&env, config).await;
        let entropy = live::entropy();
        let name = format!("lockproof_fidelity_{entropy:x}");
        let schemas =
            [format!("{name}_plain"), format!("{name}_unique"), format!("{name}_exclude")];
        for (schema, enforced) in schemas.iter().zip(Enforced::ALL) {
            let mut tables = include_str!("../../../bookings/src/postgres/schema.sql").to_owned();
            if enforced == Enforced::NoOverlap {
                tables += include_str!("../../../bookings/src/postgres/exclusion.sql");
            }
            let unique = if enforced == Enforced::UniqueUnit { "UNIQUE" } else { "" };
            let index = "CREATE {unique} INDEX bookings_of_slot
                     ON {schema}.bookings (slot, span_from, span_to, unit)
                     WHERE state = 'confirmed'";
            tables += &index.replace("{unique}", unique);
            let tables = tables.replace("{schema}", schema);
            monitor.batch_execute(&tables).await.expect("tables are made");
        }
        let mut sessions = Vec::new();
        for _ in 0..SESSIONS {
            let client = std::sync::Arc::new(dial(&env, config).await);
            client.batch_execute(SETTINGS).await.expect("the user may set deadlock_timeout");
            let backend = client.query_one("SELECT pg_backend_pid()", &[]).await;
            let backend = backend.expect("it has one").get(0);
            let prepared = [
                Prepared::prepare(&client, &schemas[0], entropy.cast_signed()).await,
                Prepared::prepare(&client, &schemas[1], entropy.cast_signed()).await,
                Prepared::prepare(&client, &schemas[2], entropy.cast_signed()).await,
            ];
            sessions.push(Session { backend, prepared });
        }
        Self { env, monitor, sessions, schemas }
    }

    pub(crate) async fn drop_tables(self) {
        for schema in &self.schemas {
            let drop = format!("DROP SCHEMA {schema} CASCADE");
            self.monitor.batch_execute(&drop).await.expect("nobody is there");
        }
    }

    /// Plays what was played on the model; goes no further than to the first line that differs.
    pub(crate) async fn play(&self, model: &Transcript) -> Transcript {
        let schema = &self.schemas[model.enforced as usize];
        let fill = format!(
            "TRUNCATE {schema}.slots, {schema}.bookings, {schema}.request_keys RESTART IDENTITY;
             INSERT INTO {schema}.slots (slot, capacity)
             SELECT slot, {CAPACITY} FROM generate_series(1, {SLOTS}) AS slot"
        );
        self.monitor.batch_execute(&fill).await.expect("the tables are there");
        let mut answers = Answers::new();
        let mut waiting = [false; SESSIONS];
        let mut lines = Vec::new();
        for expected in &model.lines {
            let Line { session, statement, .. } = *expected;
            if is_deadlock(expected) {
                // Who has begun to wait before must have looked for a circle, and not found it.
                self.env.sleep(SETTLED).await;
            }
            let prepared = &self.sessions[session].prepared[model.enforced as usize];
            answers.push(async move { (session, prepared.say(statement).await) }.boxed());
            waiting[session] = true;
            let mut arrived = self.settle(&mut answers, &waiting).await;
            for session in arrived.keys() {
                waiting[*session] = false;
            }
            let outcome = arrived.remove(&session).flatten();
            let woken = arrived.into_iter().collect();
            lines.push(Line { session, statement, outcome, woken });
            if lines.last() != Some(expected) {
                break;
            }
        }
        self.calm_down(answers, waiting).await;
        let table = self.table(schema).await;
        Transcript { enforced: model.enforced, lines, table }
    }

    /// Waits until every statement is answered or waits for a lock; what was answered.
    async fn settle<'a>(
        &self,
        answers: &mut Answers<'a>,
        waiting: &[bool; SESSIONS],
    ) -> BTreeMap<usize, Outcome> {
        let mut arrived = BTreeMap::new();
        if let Ok(Some((session, outcome))) = self.env.timeout(SOON, answers.next()).await {
            arrived.insert(session, outcome);
        }
        while !answers.is_empty() {
            let stuck = self.stuck().await;
            let before = arrived.len();
            while let Some(Some((session, outcome))) = answers.next().now_or_never() {
                arrived.insert(session, outcome);
            }
            let is_stuck = |session: usize| {
                arrived.contains_key(&session)
                    || stuck.contains_key(&self.sessions[session].backend)
            };
            let all = (0..SESSIONS).filter(|&session| waiting[session]).all(is_stuck);
            if arrived.len() == before && all && !has_circle(&stuck) {
                break;
            }
        }
        arrived
    }

    /// Backends that wait for a lock, and for whom.
    async fn stuck(&self) -> BTreeMap<i32, Vec<i32>> {
        let ours: Vec<_> = self.sessions.iter().map(|session| session.backend).collect();
        let ask = "SELECT pid, pg_blocking_pids(pid) FROM pg_locks
                   WHERE NOT granted AND pid = ANY($1)";
        let rows = self.monitor.query(ask, &[&ours]).await.expect("the server answers");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Ends what a transcript that was broken off has left open.
    async fn calm_down(&self, mut answers: Answers<'_>, mut waiting: [bool; SESSIONS]) {
        let mut left: Vec<_> = (0..SESSIONS).collect();
        while !left.is_empty() {
            for session in std::mem::take(&mut left) {
                if waiting[session] {
                    left.push(session);
                    continue;
                }
                for statement in [Statement::Rollback, Statement::AdvisoryUnlockAll] {
                    self.sessions[session].prepared[0].say(statement).await;
                }
            }
            for session in self.settle(&mut answers, &waiting).await.into_keys() {
                waiting[session] = false;
            }
        }
    }

    async fn table(&self, schema: &str) -> BookingTable {
        let slots = format!("SELECT slot, capacity, version, fence FROM {schema}.slots ORDER BY 1");
        let bookings = format!(
            "SELECT id, slot, unit, holder, attempt, fencing_token, span_from, span_to
             FROM {schema}.bookings WHERE state = 'confirmed' ORDER BY id"
        );
        let slots = self.monitor.query(&slots, &[]).await.expect("the server answers");
        let bookings = self.monitor.query(&bookings, &[]).await.expect("the server answers");
        BookingTable {
            slots: slots.iter().map(slot_row).collect(),
            bookings: bookings.iter().map(booking_row).collect(),
        }
    }
}

async fn dial(env: &Env, config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    env.spawn(async { drop(connection.await) });
    client
}

fn is_deadlock(line: &Line) -> bool {
    let outcomes = line.woken.iter().map(|(_, outcome)| outcome);
    outcomes.chain([&line.outcome]).any(|outcome| *outcome == Some(Err("40P01")))
}

/// Whether somebody waits, through others, for itself: until one of them notices.
fn has_circle(stuck: &BTreeMap<i32, Vec<i32>>) -> bool {
    stuck.keys().any(|&start| {
        let mut seen = vec![];
        let mut left = stuck[&start].clone();
        while let Some(backend) = left.pop() {
            if !seen.contains(&backend) {
                seen.push(backend);
                left.extend(stuck.get(&backend).into_iter().flatten());
            }
        }
        seen.contains(&start)
    })
}

fn narrow(row: &Row, column: usize) -> u32 {
    u32::try_from(row.get::<_, i64>(column)).expect("the test writes small numbers")
}

pub(crate) fn slot_row(row: &Row) -> SlotRow {
    SlotRow {
        slot: SlotId(narrow(row, 0)),
        capacity: narrow(row, 1),
        version: row.get(2),
        fence: FencingToken(row.get::<_, i64>(3).unsigned_abs()),
    }
}

fn booking_row(row: &Row) -> BookingRow {
    BookingRow {
        id: BookingId(row.get(0)),
        slot: SlotId(narrow(row, 1)),
        span: Span { from: narrow(row, 6), to: narrow(row, 7) },
        unit: narrow(row, 2),
        holder: HolderId(narrow(row, 3)),
        attempt: AttemptId(narrow(row, 4)),
        fencing_token: row.get::<_, Option<i64>>(5).map(|token| FencingToken(token.unsigned_abs())),
    }
}
