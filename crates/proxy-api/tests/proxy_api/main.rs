//! The API over real sockets, spoken to as client libraries speak to it.

mod proxies;
mod support;
mod toxics;
