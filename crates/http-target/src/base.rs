//! Where a service is.

use std::fmt;
use std::str::FromStr;

/// `http://host:port/prefix`. Over TLS nothing is spoken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    host: String,
    port: u16,
    /// Before every path; without a slash at its end.
    prefix: String,
}

/// The text is no base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BaseUrlError(String);

impl BaseUrl {
    /// A service at a port of this machine.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { host: "127.0.0.1".to_owned(), port, prefix: String::new() }
    }

    /// Its host and port, to dial.
    #[must_use]
    pub fn place(&self) -> (&str, u16) {
        (self.host.trim_start_matches('[').trim_end_matches(']'), self.port)
    }

    /// As a `Host` header has it.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether it is on this machine, whatever its name is.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let address = self.place().0.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// `path` with the prefix before it.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.prefix)
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| {
            BaseUrlError(format!("{why}; a base URL is http://HOST:PORT, or with a path after it"))
        };
        if text.starts_with("https://") {
            return Err(BaseUrlError(
                "https is not spoken here: name the service's own port, behind what ends its TLS"
                    .to_owned(),
            ));
        }
        let rest = text.strip_prefix("http://").ok_or_else(|| wrong("it begins with http://"))?;
        let (authority, prefix) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(wrong("a name and password go into a header"));
        }
        if prefix.contains(['?', '#']) || authority.contains(['?', '#']) {
            return Err(wrong("a query goes into the requests"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("its port is a number up to 65535"))?)
            }
            _ => (authority, 80),
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(wrong("it has no host"));
        }
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok(Self { host: host.to_owned(), port, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_survives_its_own_spelling() {
        for (text, spelled) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://shop", "http://shop:80"),
            ("http://[::1]:9/api/v1/", "http://[::1]:9/api/v1"),
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(base.to_string(), spelled);
            assert_eq!(spelled.parse::<BaseUrl>().unwrap(), base);
        }
        assert_eq!("http://[::1]:9".parse::<BaseUrl>().unwrap().place(), ("::1", 9));
        assert!("http://127.0.0.2".parse::<BaseUrl>().unwrap().is_loopback());
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (text, why) in [
            ("shop:80", "begins with http://"),
            ("https://shop", "https is not spoken here"),
            ("http://:80", "no host"),
            ("http://a:b", "its port is a number"),
            ("http://me:pw@a", "into a header"),
            ("http://a/?x=1", "into the requests"),
        ] {
            let error = text.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
