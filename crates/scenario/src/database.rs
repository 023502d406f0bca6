//! `[database]`: limits that its server keeps the holders' sessions to.

use std::time::Duration;

use lockproof_rig::SessionLimits;

use crate::reader::Reader;

pub(crate) fn read(top: &mut Reader<'_, '_>) -> SessionLimits {
    let Some(mut reader) = top.table("database") else { return SessionLimits::default() };
    let limits = SessionLimits {
        idle_in_transaction: limit(&mut reader, "idle-in-transaction-session-timeout"),
        lock: limit(&mut reader, "lock-timeout"),
    };
    reader.finish();
    limits
}

/// Postgres counts in milliseconds, and takes zero for no limit at all.
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
