//! A redis-server of the test's own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ends with the test, however that ends.
pub(crate) struct RealServer {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl RealServer {
    /// `None` when there is none to start.
    ///
    /// # Panics
    ///
    /// When there is one and it does not come up.
    pub(crate) fn start() -> Option<Self> {
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().ok()?;
        let address = free_address();
        let port = address.port().to_string();
        let arguments =
            ["--port", &port, "--save", "", "--bind", "127.0.0.1", "--loglevel", "warning"];
        // A test that is killed cannot clean up: let the kernel do it, where it can.
        let guarded = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "redis-server"])
            .args(arguments)
            .stdout(Stdio::null())
            .spawn();
        let process = guarded
            .or_else(|_| Command::new("redis-server").args(arguments).stdout(Stdio::null()).spawn())
            .ok()?;
        let server = Self { process, address };
        server.wait_until_it_answers();
        Some(server)
    }

    #[expect(clippy::disallowed_methods, reason = "waits for another process")]
    fn wait_until_it_answers(&self) {
        for _ in 0..500 {
            if let Ok(mut stream) = TcpStream::connect(self.address) {
                let mut pong = [0; 7];
                let asked =
                    stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut pong));
                if asked.is_ok() {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("redis-server was started and does not answer");
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    listener.local_addr().expect("a bound socket has an address")
}

impl Drop for RealServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
