//! Programs that speak for a lock, for tests: a sound one, and one for each way of going wrong.
//!
//! They are the test binary itself, started again with [`FLAG`] and the word of one: whoever uses them calls
//! [`be_one`] before anything else.

use std::io::{BufRead, Write};

use lockproof_locks::{
    ADAPTER_PROTOCOL, Answer, AnswerWord, EXTERNAL, Hello, LockEntry, Request, Tokens,
};
use lockproof_rig::Adapter;
use redis::Script;

/// What makes a test binary an adapter.
pub const FLAG: &str = "--adapter";

/// The lock that the sound one speaks for.
pub static SOUND: LockEntry = LockEntry { tokens: Tokens::Drawn, ..EXTERNAL };

/// How an adapter behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As it should: SET NX PX, with a token where one is asked for, released by comparison.
    Sound,
    /// It speaks another version of the protocol.
    OtherVersion,
    /// It starts with a message for people.
    NoHello,
    /// It ends at once, with a word on its standard error.
    DiesAtOnce,
    /// Its first life takes the lock when it is asked, and ends before it answers.
    DiesOverAcquire,
    /// It takes the lock when it is asked, and does not answer; to anything else it does.
    SilentOnAcquire,
    /// It takes the lock and answers with nonsense.
    Garbled,
    /// It takes the lock and answers what nobody has asked.
    Stranger,
    /// It takes the lock and says that it was given back.
    BesideThePoint,
    /// It says that acquiring has certainly failed.
    Fails,
    /// TTLs in whole seconds alone.
    WholeSeconds,
}

impl Manner {
    const ALL: [(&'static str, Self); 11] = [
        ("sound", Self::Sound),
        ("other-version", Self::OtherVersion),
        ("no-hello", Self::NoHello),
        ("dies-at-once", Self::DiesAtOnce),
        ("dies-over-acquire", Self::DiesOverAcquire),
        ("silent-on-acquire", Self::SilentOnAcquire),
        ("garbled", Self::Garbled),
        ("stranger", Self::Stranger),
        ("beside-the-point", Self::BesideThePoint),
        ("fails", Self::Fails),
        ("whole-seconds", Self::WholeSeconds),
    ];

    /// How the adapter of this manner is started: this very program.
    ///
    /// # Panics
    /// The system does not say where this program is.
    #[must_use]
    pub fn adapter(self) -> Adapter {
        let (word, _) = Self::ALL.into_iter().find(|(_, manner)| *manner == self).expect("listed");
        let program = std::env::current_exe().expect("this program is somewhere");
        let arguments = vec![FLAG.to_owned(), word.to_owned()];
        Adapter { name: format!("external:{word}"), program, arguments }
    }
}

/// Is an adapter to the end, if this program was started as one.
///
/// # Panics
/// What it is told makes no sense, or its server is gone.
#[must_use]
pub fn be_one() -> bool {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(FLAG) {
        return false;
    }
    let word = arguments.next().expect("a manner");
    let known = Manner::ALL.into_iter().find(|(known, _)| *known == word);
    speak(known.expect("a known manner").1);
    true
}

fn speak(manner: Manner) {
    match manner {
        Manner::DiesAtOnce => {
            complain("no such module: redis");
            std::process::exit(3);
        }
        Manner::NoHello => say_line("Welcome!"),
        _ => say_line(&serde_json::to_string(&hello(manner)).expect("plain values")),
    }
    let mut redis = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a pipe");
        let request: Request = serde_json::from_str(&line).expect("the workbench is understood");
        let id = id_of(&request);
        let (answer, token) = answer(&mut redis, &request);
        let acquires = matches!(request, Request::Acquire { .. });
        match manner {
            Manner::DiesOverAcquire if acquires => std::process::exit(3),
            Manner::SilentOnAcquire if acquires => {}
            Manner::Garbled if acquires => say_line("granted, I think"),
            Manner::Stranger if acquires => {
                say(Answer { id: id + 100, answer, token, message: None });
            }
            Manner::BesideThePoint if acquires => {
                say(Answer { id, answer: AnswerWord::Released, token, message: None });
            }
            Manner::Fails if acquires => {
                let message = Some("not today".to_owned());
                say(Answer { id, answer: AnswerWord::Fail, token: None, message });
            }
            _ => say(Answer { id, answer, token, message: None }),
        }
    }
}

fn hello(manner: Manner) -> Hello {
    Hello {
        protocol: ADAPTER_PROTOCOL + u32::from(manner == Manner::OtherVersion),
        name: "reference".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        renews: true,
        fences: true,
        ttl_granularity_ms: if manner == Manner::WholeSeconds { 1000 } else { 1 },
    }
}

const fn id_of(request: &Request) -> u64 {
    match request {
        Request::Open { id, .. }
        | Request::Acquire { id, .. }
        | Request::Renew { id, .. }
        | Request::Release { id, .. }
        | Request::Withdraw { id, .. } => *id,
    }
}

/// The server, and whether grants come with tokens.
type Server = (redis::Connection, bool);

const ACQUIRE: &str = "if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return -1 end \
    if ARGV[3] == '1' then return redis.call('INCR', KEYS[1] .. ':fence') end return 0";
const RENEW: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])";
const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])";

fn answer(server: &mut Option<Server>, request: &Request) -> (AnswerWord, Option<u64>) {
    if let Request::Open { redis, fences, .. } = request {
        let client = redis::Client::open(redis[0].as_str()).expect("a URL");
        *server = Some((client.get_connection().expect("the server listens"), *fences));
        return (AnswerWord::Opened, None);
    }
    let (connection, fences) = server.as_mut().expect("it was opened");
    let mut run = |text: &str, key: &str, owner: &str, ttl: u64| -> i64 {
        let script = Script::new(text);
        let mut call = script.key(key);
        call.arg(owner).arg(ttl).arg(u8::from(*fences));
        call.invoke(connection).expect("the server answers")
    };
    let word = |done: i64, yes, no| (if done == 1 { yes } else { no }, None);
    match request {
        Request::Open { .. } => unreachable!("answered above"),
        Request::Acquire { key, owner, ttl_ms, .. } => match run(ACQUIRE, key, owner, *ttl_ms) {
            -1 => (AnswerWord::Held, None),
            token => (AnswerWord::Granted, u64::try_from(token).ok().filter(|token| *token > 0)),
        },
        Request::Renew { key, owner, ttl_ms, .. } => {
            word(run(RENEW, key, owner, *ttl_ms), AnswerWord::Extended, AnswerWord::Lost)
        }
        Request::Release { key, owner, .. } => {
            word(run(RELEASE, key, owner, 0), AnswerWord::Released, AnswerWord::Lost)
        }
        Request::Withdraw { key, owner, .. } => {
            run(RELEASE, key, owner, 0);
            (AnswerWord::Withdrawn, None)
        }
    }
}

fn say(answer: Answer) {
    say_line(&serde_json::to_string(&answer).expect("plain values"));
}

fn say_line(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the workbench listens");
}

fn complain(why: &str) {
    writeln!(std::io::stderr(), "{why}").expect("the workbench listens");
}
