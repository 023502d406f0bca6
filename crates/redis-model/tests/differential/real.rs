//! A redis-server of the test's own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A redis-server that ends with the test, however that ends.
pub(crate) struct Process(Child);

impl Process {
    /// `None` when there is none to start.
    pub(crate) fn start(arguments: &[&str], prepare: impl Fn(&mut Command)) -> Option<Self> {
        let start = |program: &str, before: &[&str]| {
            let mut command = Command::new(program);
            command.args(before).args(arguments).args(["--save", "", "--loglevel", "warning"]);
            command.stdout(Stdio::null());
            prepare(&mut command);
            command.spawn()
        };
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().ok()?;
        // A test that is killed cannot clean up: let the kernel do it, where it can.
        let guarded = start("setpriv", &["--pdeathsig", "KILL", "redis-server"]);
        guarded.or_else(|_| start("redis-server", &[])).ok().map(Self)
    }
}

impl Drop for Process {
    /// SIGKILL: it is asked for nothing and keeps what it has kept.
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// One that listens on a port of its own.
pub(crate) struct RealServer {
    pub(crate) address: SocketAddr,
    _process: Process,
}

impl RealServer {
    /// `None` when there is none to start.
    ///
    /// # Panics
    ///
    /// When there is one and it does not come up.
    pub(crate) fn start() -> Option<Self> {
        let address = free_address();
        let port = address.port().to_string();
        let process = Process::start(&["--port", &port, "--bind", "127.0.0.1"], |_| {})?;
        let server = Self { address, _process: process };
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
