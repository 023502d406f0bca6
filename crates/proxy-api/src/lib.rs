//! Proxies by name, and Toxiproxy's HTTP API over them, so that its client libraries work against ours unchanged.
//!
//! ```text
//!   client library ── HTTP ──▶ routes ──▶ Fleet: proxies by name ──▶ lockproof-proxy
//!                               body: what JSON says, as Go reads it
//! ```
//!
//! | method and path | what it does |
//! |---|---|
//! | `GET /proxies`, `POST /proxies` | all, by name; make one: `name`, `listen`, `upstream`, `enabled` |
//! | `POST /populate` | make several, or replace those that differ |
//! | `GET`, `POST` or `PATCH`, `DELETE /proxies/{name}` | one: see, change or switch off, remove it |
//! | `GET`, `POST /proxies/{name}/toxics` | its toxics; add one: `name`, `type`, `stream`, `toxicity`, `attributes` |
//! | `GET`, `POST` or `PATCH`, `DELETE /proxies/{name}/toxics/{toxic}` | one of them |
//! | `POST /reset` | switch all proxies on, and remove all toxics |
//! | `GET /version` | of the API |
//!
//! Status codes, defaults and errors (`{"error": …, "status": …}`) are those of Toxiproxy 2.x. What differs:
//!
//! - An attribute that a toxic does not have is refused, not ignored: it is a slip, and its toxic would never bite.
//! - A proxy without `listen` gets a free port of loopback, not of every interface.
//! - Toxics are those of `lockproof-proxy`'s catalog: Toxiproxy's, `packet_loss`, `redis_rule` and `postgres_rule`.
//! - There are no metrics, and no configuration file: `POST /populate` takes the same JSON.
//!
//! What is absent: what toxics do is the proxy's business, and this knows nothing of it.

mod body;
mod error;
mod fleet;
mod named;
mod routes;
mod toxic;

pub use error::ApiError;
pub use fleet::Fleet;
pub use named::ProxyConfig;
pub use routes::{API_VERSION, serve};
