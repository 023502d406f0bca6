//! redis-benchmark, with many connections.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

/// What a run of it came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) requests_per_second: f64,
    pub(super) p999_ms: f64,
}

pub(super) fn is_here() -> bool {
    let version = Command::new("redis-benchmark").arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|output| output.status.success())
}

/// So many SETs of 50 connections, so many at a time.
pub(super) fn run(address: SocketAddr, pipeline: u32, requests: u32) -> Load {
    let output = Command::new("redis-benchmark")
        .args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()])
        .args(["-c", "50", "-P", &pipeline.to_string(), "-n", &requests.to_string()])
        .args(["-t", "set", "-r", "100000"])
        .stdin(Stdio::null())
        .output()
        .expect("it was here a moment ago");
    let printed = String::from_utf8_lossy(&output.stdout);
    let load = read(&printed);
    load.unwrap_or_else(|| panic!("redis-benchmark says something else:\n{printed}"))
}

fn read(printed: &str) -> Option<Load> {
    let number = |text: &str| text.trim().split(' ').next().and_then(|word| word.parse().ok());
    let throughput = printed.split('\r').flat_map(str::lines);
    let mut throughput =
        throughput.filter_map(|line| line.trim().strip_prefix("throughput summary:"));
    // `99.951% <= 1.231 milliseconds (cumulative count 99952)`
    let p999 = printed.lines().find_map(|line| {
        let (percent, rest) = line.split_once("% <= ")?;
        (percent.trim().parse::<f64>().ok()? >= 99.9).then(|| number(rest))?
    });
    Some(Load { requests_per_second: throughput.next_back().and_then(number)?, p999_ms: p999? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_report_is_read() {
        let printed = "\rSET: rps=1\r====== SET ======\n\
            50.000% <= 0.207 milliseconds (cumulative count 51)\n\
            99.902% <= 1.231 milliseconds (cumulative count 99952)\n\
            100.000% <= 2.5 milliseconds (cumulative count 100000)\n\
            Summary:\n  throughput summary: 123456.78 requests per second\n";
        let load = read(printed).unwrap();
        assert!((load.requests_per_second - 123_456.78).abs() < 0.01);
        assert!((load.p999_ms - 1.231).abs() < 1e-9);
    }
}
