use std::time::Duration;

use lockproof_proxy::{Direction, Latency, ToxicSpec};
use tokio::time::Instant;

use crate::support::{MS, Scene, assert_silent, numbered, receive, send};

#[tokio::test]
async fn a_round_trip_takes_the_latency_of_both_directions() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let latency = scene.add(Latency::new(30 * MS));
    let start = Instant::now();
    send(&mut client, b"PING").await;
    receive(&mut served, 4).await;
    assert!(start.elapsed() >= 30 * MS);
    send(&mut served, b"PONG!").await;
    receive(&mut client, 5).await;
    assert!(start.elapsed() >= 60 * MS);
    let effect = scene.remove(latency).effect;
    assert_eq!((effect.connections, effect.chunks, effect.delayed_bytes), (1, 2, 9));
}

#[tokio::test]
async fn latency_in_one_direction_does_not_touch_the_other() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let hour = Latency::new(Duration::from_secs(3600));
    scene.proxy.add_toxic(ToxicSpec::new(hour).only(Direction::Downstream));
    send(&mut client, b"PING").await;
    assert_eq!(receive(&mut served, 4).await, b"PING");
}

#[tokio::test]
async fn jitter_does_not_reorder() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let latency = scene.add(Latency::new(5 * MS).with_jitter(5 * MS));
    let bytes = numbered(400);
    for (count, piece) in (1..).zip(bytes.chunks(4)) {
        send(&mut client, piece).await;
        // Chunk by chunk, so that each has a delay of its own.
        scene.until(latency, |effect| effect.delayed_bytes == 4 * count).await;
    }
    assert_eq!(receive(&mut served, bytes.len()).await, bytes);
}

#[tokio::test]
async fn removal_delivers_what_is_still_delayed() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let latency = scene.add(Latency::new(Duration::from_secs(3600)));
    send(&mut client, b"late").await;
    scene.until(latency, |effect| effect.delayed_bytes == 4).await;
    assert_silent(&served);
    scene.remove(latency);
    assert_eq!(receive(&mut served, 4).await, b"late");
}
