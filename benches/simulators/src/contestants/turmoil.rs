//! turmoil 0.7.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::turmoil::net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::{Ask, Keys, LATENCY_MS, REQUESTS, key, millis};
use crate::measure::{BOOKINGS, Contestant};

const SERVER: &str = "server";
const PORT: u16 = 6379;
/// Far beyond what a schedule takes.
const LIMIT: Duration = Duration::from_secs(600);

/// A new simulation for each schedule. Clients wait for `idle` before each request.
pub(crate) fn schedules(name: &'static str, clients: u32, idle: Duration) -> Contestant {
    Contestant::of(name, clients, move |seed| {
        let mut simulation = ::turmoil::Builder::new()
            .rng_seed(seed)
            .simulation_duration(LIMIT)
            .min_message_latency(millis(*LATENCY_MS.start()))
            .max_message_latency(millis(*LATENCY_MS.end()))
            .build();
        simulation.host(SERVER, || serve(Arc::default()));
        for number in 0..u64::from(clients) {
            simulation.client(format!("client-{number}"), client(number, idle));
        }
        simulation.run().expect("nothing goes wrong");
    })
}

async fn serve(keys: Arc<Mutex<Keys>>) -> ::turmoil::Result {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
    let mut tasks = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await?;
        let keys = Arc::clone(&keys);
        tasks.spawn(async move {
            // Until the client hangs up.
            while let Ok(ask) = stream.read_u8().await {
                let (key, owner) = (stream.read_u64().await?, stream.read_u64().await?);
                let ask = match ask {
                    0 => Ask::SetIfAbsent,
                    1 => Ask::Statement,
                    _ => Ask::CompareAndDelete,
                };
                let answer =
                    keys.lock().unwrap_or_else(PoisonError::into_inner).answer(ask, key, owner);
                stream.write_u8(u8::from(answer)).await?;
            }
            std::io::Result::Ok(())
        });
    }
}

async fn client(number: u64, idle: Duration) -> ::turmoil::Result {
    let mut stream = TcpStream::connect((SERVER, PORT)).await?;
    for booking in 0..BOOKINGS {
        for ask in REQUESTS {
            if !idle.is_zero() {
                pass(idle).await;
            }
            // One write, and so one message.
            let mut request = [ask as u8; 17];
            request[1..9].copy_from_slice(&key(number, booking).to_be_bytes());
            request[9..].copy_from_slice(&number.to_be_bytes());
            stream.write_all(&request).await?;
            assert_eq!(stream.read_u8().await?, 1, "nobody else wants it");
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "inside, it is the simulation's")]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
