//! A program on tokio's paused clock: the least that does it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockproof_env::Random;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::{Keys, LATENCY_MS, REQUESTS, key, millis};
use crate::measure::{BOOKINGS, Contestant};

/// A new runtime for each schedule, with timers alone: an I/O driver would be polled in vain.
pub(crate) fn schedules(name: &'static str, clients: u32) -> Contestant {
    Contestant::of(name, clients, move |seed| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O asks for nothing");
        let keys = Arc::new(Mutex::new(Keys::default()));
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for number in 0..u64::from(clients) {
                let random = Random::new(seed).fork(&number.to_string());
                tasks.spawn(client(number, Arc::clone(&keys), random));
            }
            tasks.join_all().await;
        });
    })
}

async fn client(number: u64, keys: Arc<Mutex<Keys>>, random: Random) {
    for booking in 0..BOOKINGS {
        for ask in REQUESTS {
            pass(latency(&random)).await;
            let answer = keys.lock().unwrap_or_else(PoisonError::into_inner).answer(
                ask,
                key(number, booking),
                number,
            );
            pass(latency(&random)).await;
            assert!(answer, "nobody else wants it");
        }
    }
}

fn latency(random: &Random) -> Duration {
    let (least, most) = (millis(*LATENCY_MS.start()), millis(*LATENCY_MS.end()));
    least + random.up_to(most - least)
}

#[expect(clippy::disallowed_methods, reason = "tokio's timers are what is measured")]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
