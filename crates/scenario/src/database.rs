//! `[database]`: which kind of database, and limits that its server keeps the holders' sessions to.

use std::time::Duration;

use lockproof_rig::{DatabaseEngine, SessionLimits};

use crate::reader::Reader;
use crate::suggest::hint;

/// The `[database]` table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Database {
    /// None: the provider's own choice.
    pub(crate) engine: Option<DatabaseEngine>,
    pub(crate) limits: SessionLimits,
}

pub(crate) fn read(top: &mut Reader<'_, '_>) -> Database {
    let Some(mut reader) = top.table("database") else { return Database::default() };
    let engine = engine(&mut reader);
    let limits = SessionLimits {
        idle_in_transaction: limit(&mut reader, "idle-in-transaction-session-timeout"),
        lock: limit(&mut reader, "lock-timeout"),
    };
    reader.finish();
    Database { engine, limits }
}

fn engine(reader: &mut Reader<'_, '_>) -> Option<DatabaseEngine> {
    let text = reader.text("engine")?;
    let engine = DatabaseEngine::find(text.get_ref());
    if engine.is_none() {
        let known = DatabaseEngine::ALL.map(DatabaseEngine::word);
        let what = format!("unknown database `{}`{}", text.get_ref(), hint(text.get_ref(), &known));
        reader.source().problem(&text.span(), what);
    }
    engine
}

/// Postgres counts in milliseconds, MariaDB in seconds, and both take zero for no limit at all.
fn limit(reader: &mut Reader<'_, '_>, field: &'static str) -> Option<Duration> {
    let limit = reader.spanned_duration(field)?;
    let millis = i32::try_from(limit.get_ref().as_millis()).unwrap_or(0);
    let whole = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    if millis == 0 || whole != *limit.get_ref() {
        let what = format!(
            "`{field}` is a whole number of milliseconds, at least 1ms; left out, the server's default stands"
        );
        reader.source().problem(&limit.span(), what);
    }
    Some(limit.into_inner())
}
