//! The pump over in-memory streams and a paused clock, where times can be told exactly.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, timeout};

use super::*;
use crate::board::Board;
use crate::present::Meeting;
use crate::toxic::{Chunk, Direction, Ending, Passage, Recipe, Toxic};
use crate::{Latency, ResetPeer, Timeout, ToxicId, ToxicSpec};

mod rules;
mod toxics;

const MS: Duration = Duration::from_millis(1);

/// Fails what would wait for ever. The paused clock gets there at once when nothing else is to come.
async fn within<T>(happens: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(3600), happens).await.expect("it never happens")
}

/// A pump upstream, with its sender's and receiver's ends in our hands.
struct Bench {
    board: Arc<Board>,
    sender: DuplexStream,
    receiver: DuplexStream,
    pump: JoinSet<Result<(), Cut>>,
}

impl Bench {
    fn new() -> Self {
        let board = Arc::new(Board::new(1));
        let (sender, source) = duplex(1 << 26);
        let (sink, receiver) = duplex(1 << 26);
        let mut pump = JoinSet::new();
        let pumps = Arc::clone(&board);
        pump.spawn(async move {
            let meeting = Meeting::new(&pumps, 1);
            Pump::new(source, sink, Present::new(&meeting, Direction::Upstream)).run().await
        });
        Self { board, sender, receiver, pump }
    }

    fn add(&self, recipe: impl Recipe) -> ToxicId {
        self.board.add(ToxicSpec::new(recipe))
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.sender.write_all(bytes).await.unwrap();
        self.settle().await;
    }

    /// Lets the pump run until it waits for something.
    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    async fn receive(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        within(self.receiver.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    async fn ended(&mut self) -> Result<(), Cut> {
        within(self.pump.join_next()).await.unwrap().unwrap()
    }

    async fn receives_nothing_for(&mut self, time: Duration) -> bool {
        timeout(time, self.receiver.read_u8()).await.is_err()
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_many_chunks_is_delayed_from_its_own_arrival_not_one_after_another() {
    let mut bench = Bench::new();
    bench.add(Latency::new(100 * MS));
    let start = Instant::now();
    for byte in 0..50 {
        bench.send(&[byte]).await;
        advance(MS).await;
    }
    assert_eq!(bench.receive(1).await, [0]);
    assert!((100..=101).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(bench.receive(49).await, (1..50).collect::<Vec<_>>());
    assert!((149..=151).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_delays_of_two_toxics_add_up() {
    let mut bench = Bench::new();
    bench.add(Latency::new(30 * MS));
    bench.add(Latency::new(12 * MS));
    let start = Instant::now();
    bench.send(b"x").await;
    bench.receive(1).await;
    assert!((42..=43).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_partition_also_stops_bytes_that_are_in_flight_and_its_heal_leaves_other_toxics_in_force()
{
    let mut bench = Bench::new();
    let latency = bench.add(Latency::new(1000 * MS));
    bench.send(b"a").await;
    let partition = bench.add(Timeout::forever());
    assert!(bench.receives_nothing_for(2000 * MS).await);
    bench.send(b"b").await;
    bench.board.remove(partition);
    assert_eq!(bench.receive(1).await, b"a", "its delay is over");
    assert!(bench.receives_nothing_for(900 * MS).await, "the second one's is not");
    bench.board.remove(latency);
    assert_eq!(bench.receive(1).await, b"b");
}

#[tokio::test(start_paused = true)]
async fn an_ending_is_called_off_when_its_toxic_is_removed_in_time() {
    let mut bench = Bench::new();
    let toxics = [bench.add(Timeout::after(50 * MS)), bench.add(ResetPeer::after(50 * MS))];
    bench.send(b"alive").await;
    advance(40 * MS).await;
    for toxic in toxics {
        let effect = bench.board.remove(toxic).unwrap().effect;
        assert_eq!((effect.held_bytes, effect.closed, effect.reset), (5, 0, 0));
    }
    advance(100 * MS).await;
    assert_eq!(bench.receive(5).await, b"alive");
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_several_endings_wins_and_is_counted_alone() {
    let mut bench = Bench::new();
    let close = bench.add(Timeout::after(20 * MS));
    let reset = bench.add(ResetPeer::after(10 * MS));
    bench.send(b"x").await;
    assert_eq!(bench.ended().await, Err(Cut::Reset));
    assert_eq!(bench.board.remove(reset).unwrap().effect.reset, 1);
    assert_eq!(bench.board.remove(close).unwrap().effect.closed, 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_by_a_timeout_too() {
    let mut bench = Bench::new();
    bench.settle().await;
    let start = Instant::now();
    bench.add(Timeout::after(20 * MS));
    assert_eq!(bench.ended().await, Err(Cut::Close));
    assert!(start.elapsed() >= 20 * MS);
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_receiver_has_not_taken_yet_is_held_too() {
    let board = Board::new(1);
    let (mut sender, source) = duplex(1 << 20);
    let (sink, mut receiver) = duplex(4);
    let meeting = Meeting::new(&board, 1);
    let pump = Pump::new(source, sink, Present::new(&meeting, Direction::Upstream)).run();
    let test = async {
        sender.write_all(b"abcdefgh").await.unwrap();
        assert_eq!(receiver.read_u8().await.unwrap(), b'a');
        let partition = board.add(ToxicSpec::new(Timeout::forever()));
        let mut effect = board.effect(partition).unwrap();
        effect.wait_for(|effect| effect.bit()).await.unwrap();
        let held = effect.borrow().held_bytes;
        assert!((3..=4).contains(&held), "{held}");
        board.remove(partition);
        sender.shutdown().await.unwrap();
        let mut rest = Vec::new();
        receiver.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"bcdefgh");
    };
    let (ended, ()) = within(async { tokio::join!(pump, test) }).await;
    assert_eq!(ended, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_single_bytes_is_bounded_as_well() {
    let mut bench = Bench::new();
    let partition = bench.add(Timeout::forever());
    for _ in 0..40_000 {
        bench.sender.write_all(b"x").await.unwrap();
        tokio::task::yield_now().await;
    }
    bench.settle().await;
    let held = bench.board.remove(partition).unwrap().effect;
    assert!(held.chunks < 20_000, "{} chunks of a byte were kept", held.chunks);
    assert_eq!(bench.receive(40_000).await.len(), 40_000);
}

/// Answers of every kind, drawn.
#[derive(Clone, Copy, Debug)]
struct Moody;

#[derive(Debug)]
struct Mood(ChaCha8Rng);

impl Recipe for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    fn toxic(&self, rng: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Mood(rng))
    }
}

impl Toxic for Mood {
    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        match self.0.random_range(0..8) {
            0 => Passage::Hold,
            1 => Passage::Delay(Duration::MAX),
            2 => Passage::End(Ending { after: Duration::MAX, cut: Cut::Reset }),
            3..6 => Passage::Delay(self.0.random_range(0..40) * MS),
            _ => Passage::Pass,
        }
    }
}

#[derive(Clone, Debug)]
enum Action {
    Send(usize),
    Wait(u32),
    Add,
    RemoveOldest,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1..40_000_usize).prop_map(Action::Send),
        2 => (0..60_u32).prop_map(Action::Wait),
        1 => Just(Action::Add),
        1 => Just(Action::RemoveOldest),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn whatever_toxics_come_and_go_a_stream_that_lives_loses_and_reorders_nothing(
        actions in prop::collection::vec(action(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (sent, received) = runtime.block_on(act(actions));
        prop_assert!(sent == received, "sent {} bytes, received {}", sent.len(), received.len());
    }
}

async fn act(actions: Vec<Action>) -> (Vec<u8>, Vec<u8>) {
    let mut bench = Bench::new();
    let mut sent = Vec::new();
    let mut toxics = VecDeque::new();
    for action in actions {
        match action {
            Action::Send(length) => {
                let bytes: Vec<_> = (0..=250).cycle().skip(sent.len() % 251).take(length).collect();
                bench.send(&bytes).await;
                sent.extend(bytes);
            }
            Action::Wait(ms) => {
                advance(ms * MS).await;
                bench.settle().await;
            }
            Action::Add => toxics.push_back(bench.add(Moody)),
            Action::RemoveOldest => {
                toxics.pop_front().map(|oldest| bench.board.remove(oldest));
            }
        }
    }
    bench.sender.shutdown().await.unwrap();
    for toxic in toxics {
        bench.board.remove(toxic);
    }
    let mut received = Vec::new();
    within(bench.receiver.read_to_end(&mut received)).await.unwrap();
    (sent, received)
}
