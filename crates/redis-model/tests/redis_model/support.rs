//! A server, one session and a clock to step.

use std::time::Duration;

use bytes::Bytes;
use lockproof_redis_model::{Execution, Options, Reply, Server, Session, WallClock};

pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) session: Session,
    pub(crate) now: WallClock,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let mut server = Server::new(options);
        let session = server.open_session();
        Self { server, session, now: WallClock::from_unix_millis(1_700_000_000_000) }
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }

    /// A command as a line of words without spaces.
    pub(crate) fn run(&mut self, line: &str) -> Reply {
        self.words(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn words(&mut self, words: &[&str]) -> Reply {
        self.execute(words).into_reply()
    }

    pub(crate) fn execute(&mut self, words: &[&str]) -> Execution {
        let words: Vec<Bytes> =
            words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        self.server.execute(&mut self.session, &words, self.now)
    }

    /// Runs a script without keys.
    pub(crate) fn eval(&mut self, script: &str) -> Reply {
        self.words(&["EVAL", script, "0"])
    }

    /// Asserts line after line against replies in the notation of [`show`].
    pub(crate) fn expect(&mut self, exchanges: &[(&str, &str)]) {
        for (line, wanted) in exchanges {
            assert_eq!(show(&self.run(line)), *wanted, "{line}");
        }
    }
}

/// A line of words without spaces.
pub(crate) fn words(line: &str) -> Vec<Bytes> {
    line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

/// A reply in short: `+OK`, `-ERR …`, `:1`, `"text"`, `nil`, `[…]`.
pub(crate) fn show(reply: &Reply) -> String {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    match reply {
        Reply::Status(word) => format!("+{}", text(word)),
        Reply::Error(message) => format!("-{}", text(message)),
        Reply::Integer(number) => format!(":{number}"),
        Reply::Bulk(bytes) => format!("{:?}", text(bytes)),
        Reply::NullBulk | Reply::NullArray => "nil".to_owned(),
        Reply::Array(replies) => format!("[{}]", list(replies)),
        Reply::Set(replies) => format!("~[{}]", list(replies)),
        Reply::Push(replies) => format!(">[{}]", list(replies)),
        Reply::Map(pairs) => {
            let pair = |(name, value): &(Reply, Reply)| format!("{}={}", show(name), show(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(" "))
        }
        Reply::Double(digits) => format!(",{}", text(digits)),
        Reply::BigNumber(digits) => format!("({}", text(digits)),
        Reply::Boolean(truth) => format!("#{truth}"),
        Reply::Verbatim(_, bytes) => format!("={:?}", text(bytes)),
    }
}

fn list(replies: &[Reply]) -> String {
    replies.iter().map(show).collect::<Vec<_>>().join(" ")
}
