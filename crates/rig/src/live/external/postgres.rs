//! A Postgres of somebody else: whether it can be used, and what it is.

use std::net::SocketAddr;
use std::time::Duration;

use lockproof_bookings::{Dialled, PostgresAddress, PostgresDialError};
use lockproof_model::ServerInfo;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::redis::place;
use super::settings;
use crate::{DatabaseUrl, RigError};

/// What was seen of a database.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) address: PostgresAddress,
    pub(super) info: ServerInfo,
    pub(super) tcp: Option<SocketAddr>,
    /// How many connections it has to spare.
    pub(super) spare: usize,
}

/// Looks at the database at `url`.
///
/// # Errors
/// It cannot be used: why, and what to do.
pub(super) async fn look(url: &DatabaseUrl) -> Result<Seen, RigError> {
    let mut address = url.address().clone();
    address.prepare().map_err(|error| explain(url, error.into()))?;
    let dialled = dial(url, None).await?;
    let client = dialled.client();
    let said = |error: Error| explain(url, error.into());
    refuse_what_cannot_work(url, client).await?;
    let version: String = client.query_one("SHOW server_version", &[]).await.map_err(said)?.get(0);
    let settings = settings::of_postgres(client).await.map_err(said)?;
    let spare = client.query_one(SPARE, &[]).await.map_err(said)?.get::<_, i64>(0);
    let tcp = match address.tcp() {
        Some((host, port)) => place(&host, port).await,
        None => None,
    };
    let info = ServerInfo { settings, ..ServerInfo::new("postgres", version) };
    Ok(Seen { address, info, tcp, spare: usize::try_from(spare).unwrap_or(0) })
}

/// Opens a connection, called `session` where others shall know it, that never hangs for long: neither when it is
/// opened nor when its server is gone without a word.
pub(super) async fn dial(url: &DatabaseUrl, session: Option<String>) -> Result<Dialled, RigError> {
    let mut address = url.address().clone();
    let config = address.config_mut();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    config.tcp_user_timeout(PATIENCE).keepalives_idle(PATIENCE);
    if let Some(session) = session {
        config.application_name(session);
    }
    address.connect().await.map_err(|error| explain(url, error))
}

/// How long a server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sessions of others are counted, not their details, so this needs no right.
const SPARE: &str = "SELECT current_setting('max_connections')::bigint
    - current_setting('superuser_reserved_connections')::bigint
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";

async fn refuse_what_cannot_work(url: &DatabaseUrl, client: &Client) -> Result<(), RigError> {
    let row = client
        .query_one(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
                 has_database_privilege(current_database(), 'CREATE'),
                 current_database()::text, current_user::text",
            &[],
        )
        .await
        .map_err(|error| explain(url, error.into()))?;
    let (database, user): (String, String) = (row.get(3), row.get(4));
    if row.get(0) {
        return Err(unusable(url, "it is a read-only standby; name the primary"));
    }
    if row.get(1) {
        return Err(unusable(
            url,
            "its transactions are read-only by default (default_transaction_read_only); name a user or a database that may write",
        ));
    }
    if !row.get::<_, bool>(2) {
        return Err(unusable(
            url,
            &format!(
                "user {user} may make no schema in database {database}; say there, as its owner: GRANT CREATE ON DATABASE \"{database}\" TO \"{user}\""
            ),
        ));
    }
    Ok(())
}

pub(super) fn unusable(url: &DatabaseUrl, why: &str) -> RigError {
    RigError::new(format!("cannot use {url}: {why}"))
}

/// What the server or the connection said, and what to do about it.
pub(super) fn explain(url: &DatabaseUrl, error: PostgresDialError) -> RigError {
    let PostgresDialError::Driver(error) = error else {
        return unusable(url, "TLS cannot be set up").because(error);
    };
    let why = match error.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD => {
            "it refuses the user or the password; correct them in the URL (percent-encoded)"
        }
        Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "it lets this user not in from here; see its pg_hba.conf, and sslmode"
        }
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            "it has no database of that name; correct it in the URL, or create it"
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            "it has no connection to spare; raise max_connections, or end some of its clients"
        }
        Some(code) if *code == SqlState::CANNOT_CONNECT_NOW => {
            "it is starting up or shutting down; try again"
        }
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "its user lacks a right; see its own words"
        }
        Some(_) => "it answered with an error",
        None => explain_connection(&error),
    };
    unusable(url, why).because(error)
}

fn explain_connection(error: &Error) -> &'static str {
    let said = lockproof_model::in_full(error);
    let has = |part: &str| said.contains(part);
    if has("does not support TLS") {
        "it does not speak TLS; write sslmode=prefer or sslmode=disable"
    } else if has("invalid peer certificate") {
        "its certificate is not trusted; name its authority: sslrootcert=/path/ca.pem, or take it unverified: sslmode=require"
    } else if has("password missing") {
        "it asks for a password; put one into the URL: postgres://USER:PASSWORD@HOST/DATABASE"
    } else {
        "it cannot be reached; see that it runs, and that the port is right"
    }
}
