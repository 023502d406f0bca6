//! One connection that asks and waits.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use lockproof_env::live;

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8] = b"+PONG\r\n";
/// Before anything counts.
const WARM_UP: usize = 200;
const COUNTED: usize = 4000;

/// How long half of all round trips take at most, in microseconds.
pub(super) fn p50_us(address: SocketAddr) -> f64 {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    let clock = live::env(0);
    let mut laps = Vec::with_capacity(COUNTED);
    for lap in 0..WARM_UP + COUNTED {
        let asked = clock.now();
        let mut pong = [0; PONG.len()];
        stream.write_all(PING).and_then(|()| stream.read_exact(&mut pong)).expect("it answers");
        assert_eq!(pong, PONG);
        if lap >= WARM_UP {
            laps.push(clock.now().saturating_since(asked));
        }
    }
    laps.sort_unstable();
    laps[laps.len() / 2].as_secs_f64() * 1e6
}
