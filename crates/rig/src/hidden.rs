//! URLs without their passwords.

const HIDDEN: &str = "***";
/// Fields of a query that drivers take passwords from.
const SECRETS: &[&str] = &["pass", "password", "sslpassword"];

/// `url`, which some driver could read, with `***` for its password.
///
/// Rather too much is hidden than too little: everything before the last `@` counts as user and password, since a
/// password that nobody encoded may hold any of `/?#@`.
pub(crate) fn hidden(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    // The fields first: a password that is one of them may hold an `@` too.
    let rest = SECRETS.iter().fold(rest.to_owned(), |rest, field| without_field(&rest, field));
    match rest.rsplit_once('@') {
        None => format!("{scheme}://{rest}"),
        Some((user, place)) => format!("{scheme}://{}@{place}", without_password(scheme, user)),
    }
}

/// `url`, which no driver could read: who knows where its password is.
pub(crate) fn hidden_altogether(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') => {
            format!("{scheme}://{HIDDEN}")
        }
        _ => HIDDEN.to_owned(),
    }
}

fn without_password(scheme: &str, user: &str) -> String {
    match user.split_once(':') {
        Some((user, _)) => format!("{user}:{HIDDEN}"),
        None if scheme.starts_with("postgres") => user.to_owned(),
        // Some clients of Redis take a lone word for the password.
        None => HIDDEN.to_owned(),
    }
}

fn without_field(rest: &str, field: &str) -> String {
    let named = |separator: &str| rest.find(&format!("{separator}{field}="));
    let Some(start) = named("?").or_else(|| named("&")) else { return rest.to_owned() };
    let value = start + field.len() + 2;
    let end = rest[value..].find('&').map_or(rest.len(), |end| value + end);
    format!("{}{HIDDEN}{}", &rest[..value], &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"),
            ("redis://:s3cret@host:6379", "redis://:***@host:6379"),
            ("rediss://me:s3cret@host#insecure", "rediss://me:***@host#insecure"),
            ("redis://s3cret@host", "redis://***@host"),
            ("redis://me:s3/cr@e?t@host", "redis://me:***@host"),
            ("unix:///run/r.sock?db=1&pass=s3cret", "unix:///run/r.sock?db=1&pass=***"),
            ("unix:///run/r.sock?pass=a@s3cret&db=1", "unix:///run/r.sock?pass=***&db=1"),
            ("postgres://me:s3cret@host/shop", "postgres://me:***@host/shop"),
            ("postgres://me@host/shop", "postgres://me@host/shop"),
            (
                "postgres:///shop?host=/run&password=s3cret",
                "postgres:///shop?host=/run&password=***",
            ),
            ("host=db password=s3cret", "***"),
        ] {
            assert_eq!(hidden(url), shown);
            assert!(!hidden_altogether(url).contains("s3cret"));
        }
        assert_eq!(hidden_altogether("redis://:s3cret"), "redis://***");
    }
}
