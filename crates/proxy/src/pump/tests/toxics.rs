//! Each toxic's times and sizes, told exactly.

use super::*;
use crate::{Bandwidth, LimitData, PacketLoss, Slicer, SlowClose};

fn took(start: Instant, least: u128) {
    let elapsed = start.elapsed().as_millis();
    assert!((least..=least + 1).contains(&elapsed), "{elapsed} ms, not {least}");
}

#[tokio::test(start_paused = true)]
async fn a_thin_line_takes_its_time_for_each_byte_and_saves_nothing_up() {
    let mut bench = Bench::new();
    bench.add(Bandwidth { rate_kb_per_s: 2 });
    advance(1000 * MS).await;
    let start = Instant::now();
    bench.send(&[1; 100]).await;
    bench.send(&[2; 100]).await;
    bench.receive(100).await;
    took(start, 50);
    bench.receive(100).await;
    took(start, 100);
}

#[tokio::test(start_paused = true)]
async fn what_is_worth_long_arrives_in_pieces_of_a_tenth_of_a_second() {
    let mut bench = Bench::new();
    let thin = bench.add(Bandwidth { rate_kb_per_s: 1 });
    let start = Instant::now();
    bench.send(&[7; 250]).await;
    bench.receive(100).await;
    took(start, 100);
    bench.receive(100).await;
    took(start, 200);
    bench.board.remove(thin);
    bench.receive(50).await;
    took(start, 200);
}

#[tokio::test(start_paused = true)]
async fn an_end_comes_late_and_the_bytes_before_it_do_not() {
    let mut bench = Bench::new();
    bench.add(SlowClose { delay: 70 * MS });
    let start = Instant::now();
    bench.send(b"x").await;
    bench.sender.shutdown().await.unwrap();
    bench.receive(1).await;
    took(start, 0);
    assert_eq!(bench.ended().await, Ok(()));
    took(start, 70);
}

#[tokio::test(start_paused = true)]
async fn a_sliced_chunk_arrives_piece_by_piece_and_the_next_one_after_it() {
    let mut bench = Bench::new();
    bench.add(Slicer { average_size: 2, size_variation: 0, delay: 10 * MS });
    let start = Instant::now();
    bench.send(b"abcde").await;
    bench.send(b"fg").await;
    assert_eq!(bench.receive(2).await, b"ab");
    assert!(bench.receives_nothing_for(9 * MS).await);
    assert_eq!(bench.receive(3).await, b"cde");
    took(start, 20);
    assert_eq!(bench.receive(2).await, b"fg");
    took(start, 30);
}

#[tokio::test(start_paused = true)]
async fn slices_vary_within_their_bounds() {
    let mut bench = Bench::new();
    let slicer = bench.add(Slicer { average_size: 10, size_variation: 4, delay: MS });
    bench.send(&[9; 4000]).await;
    bench.receive(4000).await;
    let chunks = bench.board.remove(slicer).unwrap().effect.chunks;
    assert!((4000 / 14 - 1..=4000 / 6).contains(&chunks), "{chunks} slices were delayed");
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_delivered_to_its_last_byte_and_closes_without_waiting_for_the_next() {
    for sent in [&b"abcdefgh"[..], b"abcd"] {
        let mut bench = Bench::new();
        let limit = bench.add(LimitData { bytes: 4 });
        bench.add(Latency::new(30 * MS));
        bench.send(sent).await;
        assert_eq!(bench.receive(4).await, b"abcd");
        assert_eq!(bench.ended().await, Err(Cut::Close));
        assert_eq!(bench.board.remove(limit).unwrap().effect.closed, 1);
        let mut rest = Vec::new();
        bench.receiver.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_nothing_closes_at_the_first_byte() {
    let mut bench = Bench::new();
    bench.add(LimitData { bytes: 0 });
    bench.send(b"a").await;
    assert_eq!(bench.ended().await, Err(Cut::Close));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_removed_in_time_is_none() {
    let mut bench = Bench::new();
    let limit = bench.add(LimitData { bytes: 3 });
    let latency = bench.add(Latency::new(1000 * MS));
    bench.send(b"abcd").await;
    bench.board.remove(limit);
    bench.board.remove(latency);
    assert_eq!(bench.receive(4).await, b"abcd");
    bench.send(b"e").await;
    assert_eq!(bench.receive(1).await, b"e");
}

/// When each of some segments arrived, sent together.
async fn arrivals(loss: f64) -> Vec<u128> {
    let mut bench = Bench::new();
    bench.add(PacketLoss { loss, rto: 200 * MS });
    let start = Instant::now();
    bench.send(&[3; 40 * 1460]).await;
    let mut arrivals = Vec::new();
    for _ in 0..40 {
        bench.receive(1460).await;
        arrivals.push(start.elapsed().as_millis());
    }
    arrivals
}

#[tokio::test(start_paused = true)]
async fn a_lost_segment_stalls_those_after_it_for_a_retransmission_and_none_is_missing() {
    assert_eq!(arrivals(0.0).await, [0; 40]);
    let some = arrivals(0.3).await;
    assert!(some.is_sorted() && some.iter().any(|&at| at > 0), "{some:?}");
    // 200 ms, and twice that, and twice that again.
    let known =
        |at: &u128| [0, 200, 600, 1400, 3000, 6200].iter().any(|known| at.abs_diff(*known) <= 1);
    assert!(some.iter().all(known), "{some:?}");
    assert_eq!(arrivals(0.3).await, some, "a seed decides");
}
