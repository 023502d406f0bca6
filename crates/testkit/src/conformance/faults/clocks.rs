//! What the servers' clocks show, asked of the servers themselves.

use std::time::Duration;

use lockproof_env::live::wall_clock_ns;

use super::stage::Stage;

/// Further than a clock goes by itself while a trial lasts, and less than a trial moves it.
const FAR_MS: i64 = 60_000;
/// So long is a clock looked at, to see how fast it runs.
const LOOKED_AT: Duration = Duration::from_millis(30);

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Redis,
    Database,
}

/// By how much each clock is off; none where it cannot be asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offsets {
    redis: Option<i64>,
    database: Option<i64>,
}

impl Offsets {
    pub(super) async fn of(stage: &mut Stage) -> Self {
        let redis = time_ms(stage, Whose::Redis).await.map(|shown| shown - real_ms());
        let database = time_ms(stage, Whose::Database).await.map(|shown| shown - real_ms());
        Self { redis, database }
    }
}

/// Whether the clock is elsewhere than when everything was restored.
pub(super) async fn has_jumped(stage: &mut Stage, whose: Whose) -> bool {
    let before = match whose {
        Whose::Redis => stage.offsets.redis,
        Whose::Database => stage.offsets.database,
    };
    let before = before.expect("its clock was asked when it was restored");
    let now = time_ms(stage, whose).await.expect("the server answers") - real_ms();
    (now - before).abs() > FAR_MS
}

/// Whether the clock runs more than ten times too fast. How long a busy machine takes to ask is on both sides.
pub(super) async fn runs_fast(stage: &mut Stage, whose: Whose) -> bool {
    let before = time_ms(stage, whose).await.expect("the server answers");
    let real = real_ms();
    let env = stage.env.clone();
    env.sleep(LOOKED_AT).await;
    let shown = time_ms(stage, whose).await.expect("the server answers") - before;
    shown > 10 * (real_ms() - real)
}

async fn time_ms(stage: &mut Stage, whose: Whose) -> Option<i64> {
    let provider = std::sync::Arc::clone(&stage.provider);
    match whose {
        Whose::Redis => {
            let address = *provider.addresses().first()?;
            let client = redis::Client::open(format!("redis://{address}")).ok()?;
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            let time = redis::cmd("TIME").query_async(&mut connection).await;
            let (seconds, micros): (i64, i64) = time.ok()?;
            Some(seconds * 1000 + micros / 1000)
        }
        Whose::Database => {
            let dialled = provider.postgres()?.connect().await.ok()?;
            let statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
            Some(dialled.client().query_one(statement, &[]).await.ok()?.get(0))
        }
    }
}

fn real_ms() -> i64 {
    i64::try_from(wall_clock_ns() / 1_000_000).unwrap_or(i64::MAX)
}
