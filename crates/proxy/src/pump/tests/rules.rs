//! Both directions of a connection that is followed: what rules do, whatever the chunks.

use std::sync::Arc;

use tokio::io::{ReadHalf, WriteHalf, split};

use super::*;
use crate::follow::Protocol;
use crate::rule::{Choice, Deed, Pattern, Rule};

mod any_chunks;

/// A connection between a client and a server, both of which the test plays.
struct Line {
    board: Arc<Board>,
    client: DuplexStream,
    server: DuplexStream,
    /// Its end, and how.
    served: JoinSet<Option<Cut>>,
}

impl Line {
    fn new(protocol: Protocol) -> Self {
        let board = Arc::new(Board::new(1));
        board.followed.set(protocol).unwrap();
        let (client, client_side) = duplex(1 << 22);
        let (server_side, server) = duplex(1 << 22);
        let mut served = JoinSet::new();
        let pumps = Arc::clone(&board);
        served.spawn(async move {
            let meeting = Meeting::new(&pumps, 1);
            serve(&meeting, split(client_side), split(server_side)).await
        });
        Self { board, client, server, served }
    }

    /// A rule, as the catalog would make it.
    fn rule(&self, pattern: Pattern, choice: Choice, deed: Deed) -> ToxicId {
        self.board.add(ToxicSpec::rule(Arc::new(Rule::new(pattern, choice, deed))))
    }

    async fn ask(&mut self, bytes: &[u8]) {
        self.client.write_all(bytes).await.unwrap();
        self.settle().await;
    }

    async fn answer(&mut self, bytes: &[u8]) {
        self.server.write_all(bytes).await.unwrap();
        self.settle().await;
    }

    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    async fn server_gets(&mut self, bytes: &[u8]) {
        expect(&mut self.server, bytes).await;
    }

    async fn client_gets(&mut self, bytes: &[u8]) {
        expect(&mut self.client, bytes).await;
    }

    async fn server_gets_nothing(&mut self) -> bool {
        timeout(Duration::from_secs(60), self.server.read_u8()).await.is_err()
    }

    async fn client_gets_nothing(&mut self) -> bool {
        timeout(Duration::from_secs(60), self.client.read_u8()).await.is_err()
    }

    /// Waits for its end; what was left to be read on either side, and how it came.
    async fn ended(&mut self) -> (Option<Cut>, Vec<u8>, Vec<u8>) {
        let cut = within(self.served.join_next()).await.unwrap().unwrap();
        let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
        self.server.read_to_end(&mut at_server).await.unwrap();
        self.client.read_to_end(&mut at_client).await.unwrap();
        (cut, at_server, at_client)
    }

    fn effect(&self, rule: ToxicId) -> crate::Effect {
        *self.board.effect(rule).unwrap().borrow()
    }
}

type Halves = (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>);

async fn serve(meeting: &Meeting<'_>, client: Halves, server: Halves) -> Option<Cut> {
    let (upstream, downstream) =
        (Present::new(meeting, Direction::Upstream), Present::new(meeting, Direction::Downstream));
    let ended = tokio::try_join!(
        Pump::new(client.0, server.1, upstream).run(),
        Pump::new(server.0, client.1, downstream).run(),
    );
    ended.err()
}

async fn expect(stream: &mut DuplexStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    within(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(bytes));
}

fn redis(command: &str) -> Pattern {
    Pattern::any(Protocol::Redis).named(command).unwrap()
}

fn postgres(name: &str) -> Pattern {
    Pattern::any(Protocol::Postgres).named(name).unwrap()
}

const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
const SET: &[u8] = b"*3\r\n$3\r\nset\r\n$6\r\nseat:7\r\n$1\r\n1\r\n";

#[tokio::test(start_paused = true)]
async fn a_dropped_request_never_arrives_whole_and_what_came_before_it_does() {
    let mut line = Line::new(Protocol::Redis);
    let rule = line.rule(redis("SET"), Choice::Nth(1), Deed::DropRequest);
    line.ask(&[GET, SET, GET].concat()).await;
    let (cut, at_server, at_client) = line.ended().await;
    assert_eq!((cut, at_server.as_slice(), at_client.as_slice()), (Some(Cut::Close), GET, &[][..]));
    let effect = line.effect(rule);
    assert_eq!((effect.matched, effect.closed, effect.connections), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reply_leaves_a_request_that_was_carried_out() {
    let mut line = Line::new(Protocol::Redis);
    let pattern = redis("SET").with_key("seat:*").unwrap();
    let rule = line.rule(pattern, Choice::Nth(1), Deed::DropReply);
    line.ask(&[GET, SET].concat()).await;
    line.server_gets(&[GET, SET].concat()).await;
    assert!(!line.effect(rule).bit(), "nothing is lost yet");
    line.answer(b"$-1\r\n+O").await;
    let (cut, _, at_client) = line.ended().await;
    assert_eq!((cut, at_client.as_slice()), (Some(Cut::Close), &b"$-1\r\n"[..]));
    assert_eq!((line.effect(rule).matched, line.effect(rule).closed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_held_request_arrives_when_the_rule_goes_and_those_after_it_wait() {
    let mut line = Line::new(Protocol::Redis);
    let rule = line.rule(redis("SET"), Choice::Every(1), Deed::Hold);
    line.ask(&[GET, SET, GET].concat()).await;
    line.server_gets(GET).await;
    assert!(line.server_gets_nothing().await);
    let effect = line.board.remove(rule).unwrap().effect;
    assert_eq!((effect.matched, effect.held_bytes), (1, SET.len() as u64));
    line.server_gets(&[SET, GET].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_and_a_reply_can_be_late() {
    let mut line = Line::new(Protocol::Redis);
    line.rule(redis("SET"), Choice::Every(1), Deed::Delay(30 * MS));
    line.rule(redis("GET"), Choice::Every(1), Deed::DelayReply(40 * MS));
    let start = Instant::now();
    line.ask(&[GET, SET].concat()).await;
    line.server_gets(GET).await;
    assert!(start.elapsed() < MS);
    line.server_gets(SET).await;
    assert!(start.elapsed() >= 30 * MS);
    line.answer(b"$1\r\nx\r\n+OK\r\n").await;
    line.client_gets(b"$1\r\nx\r\n+OK\r\n").await;
    assert!(start.elapsed() >= 70 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_held_reply_arrives_when_the_rule_goes() {
    let mut line = Line::new(Protocol::Redis);
    let rule = line.rule(redis("GET"), Choice::Every(1), Deed::HoldReply);
    line.ask(GET).await;
    line.answer(b"$1\r\nx\r\n").await;
    assert!(line.client_gets_nothing().await);
    line.board.remove(rule);
    line.client_gets(b"$1\r\nx\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_duplicated_request_is_answered_once() {
    let mut line = Line::new(Protocol::Redis);
    let rule = line.rule(redis("SET"), Choice::Nth(1), Deed::Duplicate);
    for half in [&SET[..9], &SET[9..], GET] {
        line.ask(half).await;
    }
    line.server_gets(&[SET, SET, GET].concat()).await;
    for part in [&b"+OK\r\n-ERR aga"[..], b"in\r", b"\n$1\r\nx\r\n"] {
        line.answer(part).await;
    }
    line.client_gets(b"+OK\r\n$1\r\nx\r\n").await;
    let effect = line.board.remove(rule).unwrap().effect;
    assert_eq!((effect.duplicated, effect.swallowed_bytes), (1, 12));
}

#[tokio::test(start_paused = true)]
async fn a_push_is_no_reply() {
    let mut line = Line::new(Protocol::Redis);
    line.rule(redis("GET"), Choice::Nth(1), Deed::DropReply);
    line.ask(GET).await;
    line.answer(b">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n").await;
    line.client_gets(b">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n").await;
    line.answer(b"_\r\n").await;
    assert_eq!(line.ended().await, (Some(Cut::Close), GET.to_vec(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn the_next_reply_is_lost_also_if_its_request_is_under_way() {
    let both = [GET, SET].concat();
    for is_under_way in [true, false] {
        let mut line = Line::new(Protocol::Redis);
        line.ask(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n").await;
        line.answer(b"%1\r\n+proto\r\n:3\r\n").await;
        line.client_gets(b"%1\r\n+proto\r\n:3\r\n").await;
        if is_under_way {
            line.ask(GET).await;
        }
        let lose = Arc::new(Rule::lose_next_reply(Protocol::Redis));
        let rule = line.board.add(ToxicSpec::rule(lose));
        line.settle().await;
        line.ask(if is_under_way { SET } else { &both }).await;
        line.answer(b"_\r\n+OK\r\n").await;
        let (cut, at_server, at_client) = line.ended().await;
        assert_eq!((cut, at_client.as_slice()), (Some(Cut::Close), &[][..]));
        assert!(at_server.ends_with(&both));
        assert_eq!(line.effect(rule).matched, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_passes_and_is_counted() {
    for garbage in
        [&b"\x16\x03\x01"[..], b"*1\r\nPING\r\n", b"*9999999999\r\n", b"$5\r\nhello\r\n\x00"]
    {
        let mut line = Line::new(Protocol::Redis);
        line.rule(redis("SET"), Choice::Every(1), Deed::DropRequest);
        line.ask(&[garbage, SET].concat()).await;
        line.server_gets(&[garbage, SET].concat()).await;
        line.answer(b"\xff\xff").await;
        line.client_gets(b"\xff\xff").await;
        assert_eq!(line.board.lost.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}

/// A message of Postgres.
fn message(kind: char, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    let mut message = Vec::from(kind.to_string());
    message.extend(length);
    message.extend(body);
    message
}

/// A client that has logged in.
async fn logged_in() -> Line {
    let mut line = Line::new(Protocol::Postgres);
    line.ask(&[&8_u32.to_be_bytes()[..], &80_877_103_u32.to_be_bytes()].concat()).await;
    line.answer(b"N").await;
    let hello = b"\0\0\0\x11\0\x03\0\0user\0me\0\0";
    line.ask(hello).await;
    line.server_gets(b"\0\0\0\x08\x04\xd2\x16\x2f").await;
    line.server_gets(hello).await;
    let ready = [message('R', &[0; 4]), message('S', b"a\0b\0"), message('Z', b"I")].concat();
    line.answer(&ready).await;
    line.client_gets(&[b"N", &ready[..]].concat()).await;
    line
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_carried_out_and_its_acknowledgement_lost() {
    let mut line = logged_in().await;
    let rule = line.rule(postgres("commit"), Choice::Nth(1), Deed::DropReply);
    let begin = message('Q', b"BEGIN\0");
    line.ask(&begin).await;
    let done = [message('C', b"BEGIN\0"), message('Z', b"T")].concat();
    line.answer(&done).await;
    line.client_gets(&done).await;
    let commit = message('Q', b" /* now */ commit;\0");
    line.ask(&commit).await;
    line.server_gets(&[begin, commit].concat()).await;
    line.answer(&message('C', b"COMMIT\0")).await;
    assert_eq!(line.effect(rule).closed, 0, "the reply is not whole");
    line.answer(&message('Z', b"I")).await;
    let (cut, _, at_client) = line.ended().await;
    assert_eq!((cut, at_client.as_slice()), (Some(Cut::Close), &[][..]));
    assert_eq!((line.effect(rule).swallowed_bytes, line.effect(rule).closed), (12, 1));
}

#[tokio::test(start_paused = true)]
async fn a_prepared_statement_is_known_by_what_it_does_when_it_is_executed() {
    let mut line = logged_in().await;
    let rule = line.rule(postgres("COMMIT"), Choice::Nth(1), Deed::DropRequest);
    let prepare = [message('P', b"s1\0COMMIT\0\0\0"), message('S', b"")].concat();
    line.ask(&prepare).await;
    line.server_gets(&prepare).await;
    line.answer(&[message('1', b""), message('Z', b"I")].concat()).await;
    assert_eq!(line.effect(rule).matched, 0, "it was only prepared");
    let bind = message('B', b"\0s1\0\0\0\0\0\0\0");
    line.ask(&[bind.clone(), message('E', b"\0\0\0\0\0"), message('S', b"")].concat()).await;
    let (cut, at_server, _) = line.ended().await;
    assert_eq!((cut, at_server), (Some(Cut::Close), bind));
}

#[tokio::test(start_paused = true)]
async fn the_next_reply_of_postgres_is_all_that_comes_up_to_ready_for_query() {
    let bound = [message('B', &[0; 8]), message('E', &[0; 5]), message('S', b"")].concat();
    let done = [message('2', b""), message('C', b"UPDATE 1\0"), message('Z', b"T")].concat();
    for is_under_way in [true, false] {
        let mut line = logged_in().await;
        if is_under_way {
            line.ask(&bound).await;
        }
        let lose = Arc::new(Rule::lose_next_reply(Protocol::Postgres));
        let rule = line.board.add(ToxicSpec::rule(lose));
        line.settle().await;
        if !is_under_way {
            line.ask(&bound).await;
        }
        line.server_gets(&bound).await;
        for byte in &done {
            line.answer(&[*byte]).await;
        }
        let (cut, _, at_client) = line.ended().await;
        assert_eq!((cut, at_client.as_slice()), (Some(Cut::Close), &[][..]));
        assert_eq!((line.effect(rule).matched, line.effect(rule).closed), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn any_request_of_postgres_is_lost_from_its_first_message_on() {
    let mut line = logged_in().await;
    let any = Pattern::any(Protocol::Postgres);
    line.rule(any, Choice::Nth(2), Deed::DropRequest);
    let bound = [message('B', &[0; 8]), message('E', &[0; 5]), message('S', b"")].concat();
    line.ask(&bound).await;
    line.server_gets(&bound).await;
    line.ask(&bound).await;
    assert_eq!(line.ended().await, (Some(Cut::Close), Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn after_an_error_what_is_skipped_gets_no_reply() {
    let mut line = logged_in().await;
    line.rule(postgres("Query"), Choice::Nth(1), Deed::HoldReply);
    let batch = [message('P', b"\0SELEC\0\0\0"), message('B', &[0; 8]), message('E', &[0; 5])];
    line.ask(&batch.concat()).await;
    line.answer(&message('E', b"SERROR\0\0")).await;
    line.ask(&[message('D', b"P\0"), message('S', b"")].concat()).await;
    line.answer(&message('Z', b"I")).await;
    line.client_gets(&[message('E', b"SERROR\0\0"), message('Z', b"I")].concat()).await;
    line.ask(&message('Q', b"SELECT 1\0")).await;
    line.answer(&message('T', b"\0\0")).await;
    assert!(line.client_gets_nothing().await, "it is the query's");
}

#[tokio::test(start_paused = true)]
async fn a_query_can_be_sent_twice_and_is_answered_once() {
    let mut line = logged_in().await;
    line.rule(postgres("INSERT"), Choice::Nth(1), Deed::Duplicate);
    let insert = message('Q', b"INSERT INTO t VALUES (1)\0");
    line.ask(&insert).await;
    line.server_gets(&[insert.clone(), insert].concat()).await;
    let done = [message('C', b"INSERT 0 1\0"), message('Z', b"I")].concat();
    line.answer(&[done.clone(), done.clone()].concat()).await;
    line.client_gets(&done).await;
    assert!(line.client_gets_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_encrypted_is_left_alone() {
    let mut line = Line::new(Protocol::Postgres);
    line.rule(postgres("COMMIT"), Choice::Every(1), Deed::DropRequest);
    line.ask(b"\0\0\0\x08\x04\xd2\x16\x2f").await;
    line.answer(b"S").await;
    line.client_gets(b"S").await;
    let commit = message('Q', b"COMMIT\0");
    line.ask(&commit).await;
    line.server_gets(&[b"\0\0\0\x08\x04\xd2\x16\x2f", &commit[..]].concat()).await;
    assert_eq!(line.board.lost.load(std::sync::atomic::Ordering::Relaxed), 1);
}
