use lockproof_proxy::{Direction, Latency, Timeout, ToxicSpec};
use tokio::io::AsyncWriteExt;
use tokio::task::{JoinSet, yield_now};

use crate::support::{MS, Scene, numbered, receive, receive_all, receive_reset, send};

#[tokio::test]
async fn bytes_pass_in_both_directions() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, b"PING").await;
    assert_eq!(receive(&mut served, 4).await, b"PING");
    send(&mut served, b"PONG").await;
    assert_eq!(receive(&mut client, 4).await, b"PONG");
}

#[tokio::test]
async fn a_half_close_is_carried_through_and_the_other_direction_lives_on() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, b"question").await;
    client.shutdown().await.unwrap();
    assert_eq!(receive_all(&mut served).await, b"question");
    send(&mut served, b"answer").await;
    drop(served);
    assert_eq!(receive_all(&mut client).await, b"answer");
}

#[tokio::test]
async fn a_half_close_comes_after_the_bytes_that_are_delayed_before_it() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    scene.add(Latency::new(20 * MS));
    send(&mut client, b"question").await;
    client.shutdown().await.unwrap();
    assert_eq!(receive_all(&mut served).await, b"question");
}

#[tokio::test]
async fn a_reset_by_one_side_reaches_the_other_as_a_reset() {
    let scene = Scene::new().await;
    let (mut client, served) = scene.connect().await;
    served.set_zero_linger().unwrap();
    drop(served);
    receive_reset(&mut client).await;

    let (client, mut served) = scene.connect().await;
    client.set_zero_linger().unwrap();
    drop(client);
    receive_reset(&mut served).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_arrives_whole_and_in_order_while_toxics_come_and_go() {
    const LENGTH: usize = 8 << 20;
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let mut sender = JoinSet::new();
    sender.spawn(async move {
        for piece in numbered(LENGTH).chunks(10_007) {
            send(&mut client, piece).await;
        }
    });
    let mut receiver = JoinSet::new();
    receiver.spawn(async move { receive_all(&mut served).await });
    while !sender.is_empty() {
        let only = |spec: ToxicSpec| spec.only(Direction::Upstream);
        let slow =
            scene.proxy.add_toxic(only(ToxicSpec::new(Latency::new(2 * MS).with_jitter(2 * MS))));
        yield_now().await;
        let partition = scene.proxy.add_toxic(only(ToxicSpec::new(Timeout::forever())));
        for _ in 0..20 {
            yield_now().await;
        }
        scene.remove(slow);
        scene.remove(partition);
        for _ in 0..200 {
            yield_now().await;
        }
        sender.try_join_next().transpose().unwrap();
    }
    let received = receiver.join_next().await.unwrap().unwrap();
    assert!(received == numbered(LENGTH), "{} of {LENGTH} bytes, or out of order", received.len());
}
