//! What can be typed after `lockproof proxy`.

use clap::{Args, ValueEnum};

use super::parse_seed;

#[derive(Debug, Args)]
pub(crate) struct ProxyArguments {
    /// Where a first proxy listens, called lockproof; port 0 takes a free one and says which [default: none; the API
    /// makes others]
    #[arg(long, env = "LOCKPROOF_LISTEN", value_name = "HOST:PORT", requires = "upstream", value_parser = parse_place)]
    pub(crate) listen: Option<String>,

    /// Where its server is
    #[arg(long, env = "LOCKPROOF_UPSTREAM", value_name = "HOST:PORT", requires = "listen", value_parser = parse_place)]
    pub(crate) upstream: Option<String>,

    /// Where to serve the API
    #[arg(long, env = "LOCKPROOF_API", value_name = "HOST:PORT", default_value = "127.0.0.1:8474", value_parser = parse_place)]
    pub(crate) api: String,

    /// Follow connections from the start, so that rules apply to open ones; else they apply to those opened after them
    #[arg(long, env = "LOCKPROOF_PROTOCOL", value_enum)]
    pub(crate) protocol: Option<ProtocolName>,

    /// Decides what toxics draw, decimal or 0x…; drawn and printed when not given
    #[arg(long, env = "LOCKPROOF_SEED", value_parser = parse_seed)]
    pub(crate) seed: Option<u64>,
}

/// A protocol that the proxy can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProtocolName {
    Redis,
    Postgres,
}

fn parse_place(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` has no port; write 127.0.0.1:6379 or localhost:6379")),
    }
}
