//! The same requests and replies, cut into chunks in every way: what rules decide is the same, and the same as what a
//! reader of whole messages would.

use super::*;

/// A command, its words.
#[derive(Clone, Debug)]
struct Command(Vec<Vec<u8>>);

const NAMES: [&str; 6] = ["SET", "get", "DEL", "PING", "EVAL", "MSET"];

impl Command {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", self.0.len()).into_bytes();
        for word in &self.0 {
            bytes.extend(format!("${}\r\n", word.len()).bytes());
            bytes.extend(word);
            bytes.extend(b"\r\n");
        }
        bytes
    }

    /// As a person would say: its name is DEL, or SET with a key that begins with `k`.
    fn is_meant(&self) -> bool {
        self.0[0] == b"SET" && self.0[1].starts_with(b"k")
    }
}

fn command() -> impl Strategy<Value = Command> {
    let word = prop_oneof![
        "k?[a-c\r\n$*]{0,4}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
        (1000..40_000_usize).prop_map(|length| vec![b'v'; length]),
    ];
    let words = prop::collection::vec(word, 1..4);
    (prop::sample::select(&NAMES[..]), words).prop_map(|(name, words)| {
        let mut command = vec![name.as_bytes().to_vec()];
        command.extend(words);
        if name == "SET" {
            command.resize(3, b"1".to_vec());
        }
        Command(command)
    })
}

fn reply() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        "[a-z ]{0,9}".prop_map(|text| format!("+{text}\r\n").into_bytes()),
        "[A-Z ]{0,9}".prop_map(|text| format!("-{text}\r\n").into_bytes()),
        any::<i32>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
        Just(b"$-1\r\n".to_vec()),
        Just(b"*-1\r\n".to_vec()),
        Just(b"_\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| {
            [format!("${}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()
        }),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(|items| {
            let head = match items.len() {
                2 => "%1\r\n".to_owned(),
                count => format!("*{count}\r\n"),
            };
            [head.into_bytes(), items.concat()].concat()
        })
    })
}

/// Sizes of chunks, over and over.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        prop::collection::vec(1..4_usize, 1..6),
        prop::collection::vec(1..60_usize, 1..6),
        prop::collection::vec(1..30_000_usize, 1..6),
    ]
}

fn chunks<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut sizes, mut chunks) = (bytes, cuts.iter().cycle(), Vec::new());
    while !rest.is_empty() {
        // So many chunks and no more: a test is to end.
        let size = if chunks.len() < 300 { *sizes.next().unwrap() } else { rest.len() };
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

fn in_time<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(future)
}

/// What arrived at the server and at the client, how it ended, and what the rule counted.
#[derive(Debug, PartialEq)]
struct Outcome {
    at_server: Vec<u8>,
    at_client: Vec<u8>,
    cut: Option<Cut>,
    effect: crate::Effect,
    lost: u64,
}

/// Requests go first, replies when they are all there, each in those chunks.
async fn played(
    protocol: Protocol,
    rule: Option<(Pattern, Choice, Deed)>,
    requests: &[u8],
    replies: &[u8],
    cuts: &[usize],
) -> Outcome {
    let mut line = Line::new(protocol);
    let rule = rule.map(|(pattern, choice, deed)| line.rule(pattern, choice, deed));
    for chunk in chunks(requests, cuts) {
        if line.client.write_all(chunk).await.is_err() {
            break; // it was cut
        }
        tokio::task::yield_now().await;
    }
    line.settle().await;
    for chunk in chunks(replies, cuts) {
        if line.server.write_all(chunk).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    line.settle().await;
    drop(line.client.shutdown().await);
    drop(line.server.shutdown().await);
    let effect = rule.map(|rule| line.effect(rule)).unwrap_or_default();
    let (cut, at_server, at_client) = line.ended().await;
    let effect = crate::Effect { first: None, last: None, chunks: 0, ..effect };
    let lost = line.board.lost.load(std::sync::atomic::Ordering::Relaxed);
    Outcome { at_server, at_client, cut, effect, lost }
}

/// Everything that was said, in order.
fn said(commands: &[Command]) -> Vec<u8> {
    commands.iter().flat_map(Command::bytes).collect()
}

/// The place of the `nth` command that is meant.
fn place(commands: &[Command], nth: u64) -> Option<usize> {
    let meant = commands.iter().enumerate().filter(|(_, command)| command.is_meant());
    meant.map(|(place, _)| place).nth(usize::try_from(nth - 1).unwrap())
}

fn meant() -> Pattern {
    redis("set").with_key("k*").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn a_dropped_request_is_the_one_that_is_meant(
        commands in prop::collection::vec(command(), 1..12),
        cuts in cuts(),
        nth in 1..3_u64,
    ) {
        let rule = (meant(), Choice::Nth(nth), Deed::DropRequest);
        let all = said(&commands);
        let outcome = in_time(played(Protocol::Redis, Some(rule), &all, b"", &cuts));
        prop_assert_eq!(outcome.lost, 0);
        match place(&commands, nth) {
            None => prop_assert_eq!((outcome.cut, outcome.at_server), (None, all)),
            Some(place) => {
                let (before, with) = (said(&commands[..place]), said(&commands[..=place]));
                prop_assert_eq!(outcome.cut, Some(Cut::Close));
                let arrived = outcome.at_server.len();
                prop_assert!(arrived >= before.len() && arrived < with.len());
                prop_assert!(with.starts_with(&outcome.at_server));
                prop_assert_eq!((outcome.effect.matched, outcome.effect.closed), (1, 1));
            }
        }
    }

    #[test]
    fn a_dropped_reply_is_that_of_the_request_that_is_meant(
        commands in prop::collection::vec(command(), 1..12),
        all_replies in prop::collection::vec(reply(), 12),
        cuts in cuts(),
    ) {
        let rule = (meant(), Choice::Nth(1), Deed::DropReply);
        let (all, replies) = (said(&commands), &all_replies[..commands.len()]);
        let outcome =
            in_time(played(Protocol::Redis, Some(rule), &all, &replies.concat(), &cuts));
        prop_assert_eq!(outcome.lost, 0);
        prop_assert!(outcome.at_server == all);
        let before = place(&commands, 1).map_or(replies, |place| &replies[..place]);
        prop_assert!(outcome.at_client == before.concat());
        prop_assert_eq!(outcome.cut.is_some(), before.len() < replies.len());
    }

    #[test]
    fn a_duplicated_request_is_the_one_that_is_meant_and_the_client_sees_nothing_of_it(
        commands in prop::collection::vec(command(), 1..8),
        all_replies in prop::collection::vec(reply(), 9),
        cuts in cuts(),
    ) {
        let rule = (meant(), Choice::Nth(1), Deed::Duplicate);
        let all = said(&commands);
        let place = place(&commands, 1);
        // Longer ones are not kept, and so not sent twice.
        prop_assume!(place.is_none_or(|place| commands[place].bytes().len() < 64 * 1024));
        let mut twice = commands.clone();
        let mut replies = all_replies[..commands.len()].to_vec();
        let seen = replies.concat();
        if let Some(place) = place {
            twice.insert(place, commands[place].clone());
            replies.insert(place + 1, all_replies[8].clone());
        }
        let outcome =
            in_time(played(Protocol::Redis, Some(rule), &all, &replies.concat(), &cuts));
        prop_assert!(outcome.at_server == said(&twice));
        prop_assert!(outcome.at_client == seen);
        prop_assert_eq!((outcome.cut, outcome.effect.duplicated), (None, u64::from(place.is_some())));
    }

    #[test]
    fn what_no_rule_means_passes_unchanged_be_it_of_the_protocol_or_not(
        commands in prop::collection::vec(command(), 0..6),
        garbage in prop::collection::vec(any::<u8>(), 0..200),
        replies in prop::collection::vec(reply(), 0..6),
        cuts in cuts(),
        protocol in prop::sample::select(vec![Protocol::Redis, Protocol::Postgres]),
    ) {
        let rule = match protocol {
            Protocol::Redis => (redis("GETEX"), Choice::Every(1), Deed::DropReply),
            Protocol::Postgres => (postgres("VACUUM"), Choice::Every(1), Deed::DropReply),
        };
        let requests = [said(&commands), garbage.clone()].concat();
        let replies = [replies.concat(), garbage].concat();
        let outcome = in_time(played(protocol, Some(rule), &requests, &replies, &cuts));
        prop_assert!(outcome.at_server == requests && outcome.at_client == replies);
        prop_assert_eq!((outcome.cut, outcome.effect), (None, crate::Effect::default()));
    }

    #[test]
    fn postgres_is_read_the_same_whatever_the_chunks(
        statements in prop::collection::vec("(BEGIN|COMMIT|SELECT 1|INSERT INTO t)", 1..8),
        prepared in any::<bool>(),
        cuts in cuts(),
    ) {
        let spoken = |statement: &String| {
            if prepared {
                let parse = [b"\0", statement.as_bytes(), b"\0\0\0"].concat();
                [message('P', &parse), message('B', &[0; 8]), message('E', &[0; 5]), message('S', b"")].concat()
            } else {
                message('Q', &[statement.as_bytes(), b"\0"].concat())
            }
        };
        let answered = |statement: &String| {
            let done = [message('C', statement.as_bytes()), message('Z', b"I")].concat();
            let before = [message('1', b""), message('2', b"")].concat();
            if prepared { [before, done].concat() } else { done }
        };
        let hello = b"\0\0\0\x09\0\x03\0\0\0";
        let welcome = [message('R', &[0; 4]), message('Z', b"I")].concat();
        let requests = [hello.to_vec(), statements.iter().flat_map(spoken).collect()].concat();
        let replies = [welcome.clone(), statements.iter().flat_map(answered).collect()].concat();
        let rule = (postgres("commit"), Choice::Nth(1), Deed::DropReply);
        let outcome = in_time(played(Protocol::Postgres, Some(rule), &requests, &replies, &cuts));
        prop_assert_eq!(outcome.lost, 0);
        prop_assert!(outcome.at_server == requests);
        match statements.iter().position(|statement| statement == "COMMIT") {
            None => prop_assert!(outcome.cut.is_none() && outcome.at_client == replies),
            Some(place) => {
                let before: Vec<u8> = statements[..place].iter().flat_map(answered).collect();
                let seen = [welcome, before].concat();
                prop_assert_eq!(outcome.cut, Some(Cut::Close));
                prop_assert!(outcome.at_client.starts_with(&seen));
                // What it says of the statement's preparation may be seen, that it was done may not.
                let more = &outcome.at_client[seen.len()..];
                prop_assert!(!more.windows(6).any(|window| window == b"COMMIT"));
            }
        }
    }
}
