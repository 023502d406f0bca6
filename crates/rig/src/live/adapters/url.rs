//! Where a Redis server is, as an adapter is told it.

use redis::{ConnectionAddr, ConnectionInfo};

use crate::RigError;

/// `redis://user:password@host:port/db`, or `rediss://…`, or `unix:///path?db=…`, as most client libraries read it.
///
/// # Errors
/// It is reached in a way that no such URL says.
pub(super) fn url(server: &ConnectionInfo) -> Result<String, RigError> {
    let settings = server.redis_settings();
    let (user, password) = (settings.username(), settings.password());
    let credentials = match (user, password) {
        (None, None) => String::new(),
        (user, password) => {
            let [user, password] = [user, password].map(|word| encoded(word.unwrap_or_default()));
            format!("{user}:{password}@")
        }
    };
    let db = settings.db();
    match server.addr() {
        ConnectionAddr::Tcp(host, port) => {
            Ok(format!("redis://{credentials}{}:{port}/{db}", bracketed(host)))
        }
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None } => {
            Ok(format!("rediss://{credentials}{}:{port}/{db}", bracketed(host)))
        }
        ConnectionAddr::Unix(path) => Ok(format!("unix://{credentials}{}?db={db}", path.display())),
        _ => Err(RigError::new(
            "an adapter is told a server's URL, and none says that its certificate is not looked at or is the client's own",
        )),
    }
}

/// An address of IPv6 stands in brackets.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn encoded(word: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    word.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use redis::IntoConnectionInfo;

    use super::*;

    #[test]
    fn a_url_leads_to_the_same_server() {
        for told in [
            "redis://127.0.0.1:6380/2",
            "redis://[::1]:6380/0",
            "redis://me:s%2F%40cret@host:6379/0",
            "redis://:s3cret@host:6379/0",
            "rediss://:s3cret@host:6379/1",
            "unix:///run/redis.sock?db=1",
        ] {
            assert_eq!(url(&told.into_connection_info().unwrap()).unwrap(), told);
        }
        assert!(url(&"rediss://host:6379/#insecure".into_connection_info().unwrap()).is_err());
    }
}
