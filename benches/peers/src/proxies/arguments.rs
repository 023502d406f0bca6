//! The command line.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};

/// Our proxy beside the shortest one
#[derive(Debug, Parser)]
#[command(name = "proxy", disable_version_flag = true)]
pub(super) struct Arguments {
    /// Samples of each contestant
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(5..))]
    pub(super) turns: u32,
    /// Requests of a sample without pipelining; with it four times as many
    #[arg(long, default_value_t = 100_000)]
    pub(super) requests: u32,
    /// Be one of the contestants, and nothing else
    #[arg(long, hide = true)]
    pub(super) role: Option<Role>,
    /// Where that one sends what it is sent
    #[arg(long, hide = true, default_value = "127.0.0.1:6379")]
    pub(super) upstream: SocketAddr,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    pub(super) fn from_command_line() -> Self {
        Self::parse()
    }
}

/// What stands between a client and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Role {
    /// Two loops of read and write.
    Copy,
    /// Ours, as it is.
    Proxy,
    /// Ours, with a rule for Redis.
    Rules,
}
