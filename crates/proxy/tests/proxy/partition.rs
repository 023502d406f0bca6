use lockproof_proxy::{Direction, KEPT_LIMIT, Timeout, ToxicSpec};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{
    MS, Scene, assert_silent, grace, numbered, receive, receive_all, receive_reset, send,
};

#[tokio::test]
async fn held_bytes_arrive_after_the_heal_in_order_and_the_connection_lives_on() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let partition = scene.add(Timeout::forever());
    send(&mut client, b"first ").await;
    scene.until(partition, |effect| effect.held_bytes == 6).await;
    send(&mut client, b"second").await;
    scene.until(partition, |effect| effect.held_bytes == 12).await;
    assert_silent(&served);

    let effect = scene.remove(partition).effect;
    assert_eq!((effect.connections, effect.chunks, effect.delayed_bytes), (1, 2, 0));
    assert!(effect.first <= effect.last);
    assert_eq!(receive(&mut served, 12).await, b"first second");
    send(&mut served, b"answer").await;
    assert_eq!(receive(&mut client, 6).await, b"answer");
}

#[tokio::test]
async fn a_partition_of_one_direction_leaves_the_other_alone() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let partition =
        scene.proxy.add_toxic(ToxicSpec::new(Timeout::forever()).only(Direction::Downstream));
    send(&mut client, b"SET").await;
    assert_eq!(receive(&mut served, 3).await, b"SET");
    send(&mut served, b"OK").await;
    scene.until(partition, |effect| effect.held_bytes == 2).await;
    assert_silent(&client);
    scene.remove(partition);
    assert_eq!(receive(&mut client, 2).await, b"OK");
}

#[tokio::test]
async fn a_new_connection_during_a_partition_is_accepted_and_held() {
    let scene = Scene::new().await;
    let partition = scene.add(Timeout::forever());
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, b"hello").await;
    scene.until(partition, |effect| effect.held_bytes == 5).await;
    assert_silent(&served);
    scene.remove(partition);
    assert_eq!(receive(&mut served, 5).await, b"hello");
}

#[tokio::test]
async fn a_half_close_is_held_behind_the_bytes_before_it() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let partition = scene.add(Timeout::forever());
    send(&mut client, b"bye").await;
    client.shutdown().await.unwrap();
    scene.until(partition, |effect| effect.chunks >= 2).await;
    assert_silent(&served);
    scene.remove(partition);
    assert_eq!(receive_all(&mut served).await, b"bye");
}

#[tokio::test]
async fn a_server_does_not_learn_of_its_clients_death_until_the_partition_heals() {
    let scene = Scene::new().await;
    let (client, mut served) = scene.connect().await;
    let partition = scene.add(Timeout::forever());
    client.set_zero_linger().unwrap();
    drop(client);
    scene.until(partition, |effect| effect.chunks == 1).await;
    assert_silent(&served);
    scene.remove(partition);
    receive_reset(&mut served).await;
}

#[tokio::test]
async fn an_answer_to_a_dead_client_does_not_betray_its_death_through_the_partition() {
    let scene = Scene::new().await;
    let (client, mut served) = scene.connect().await;
    let partition =
        scene.proxy.add_toxic(ToxicSpec::new(Timeout::forever()).only(Direction::Upstream));
    client.set_zero_linger().unwrap();
    drop(client);
    scene.until(partition, |effect| effect.chunks == 1).await;
    send(&mut served, b"answer").await;
    send(&mut served, b"another").await;
    grace().await;
    assert_silent(&served);
    scene.remove(partition);
    receive_reset(&mut served).await;
}

#[tokio::test]
async fn a_timeout_closes_the_connection_when_its_time_is_over_and_not_before() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let start = Instant::now();
    let partition = scene.add(Timeout::after(50 * MS));
    send(&mut client, b"lost").await;
    assert_eq!(receive_all(&mut client).await, b"");
    assert!(start.elapsed() >= 50 * MS);
    assert_eq!(receive_all(&mut served).await, b"");
    assert_eq!(scene.remove(partition).effect.closed, 1);
}

#[tokio::test]
async fn what_is_held_is_bounded_and_the_sender_is_stopped() {
    const LENGTH: usize = 32 << 20;
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let partition = scene.add(Timeout::forever());
    let mut sender = JoinSet::<TcpStream>::new();
    sender.spawn(async move {
        send(&mut client, &numbered(LENGTH)).await;
        client
    });
    let almost_all = KEPT_LIMIT as u64 / 10 * 8;
    scene.until(partition, |effect| effect.held_bytes >= almost_all).await;
    grace().await;
    assert!(sender.try_join_next().is_none(), "the sender was not stopped");
    let held = scene.remove(partition).effect.held_bytes;
    assert!(held <= KEPT_LIMIT as u64 + 16 * 1024, "{held} bytes were held");
    assert!(receive(&mut served, LENGTH).await == numbered(LENGTH), "lost or reordered");
}
