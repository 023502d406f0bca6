use lockproof_proxy::{Direction, ResetPeer, ToxicSpec};
use tokio::time::Instant;

use crate::support::{MS, Scene, assert_silent, receive, receive_reset, send};

#[tokio::test]
async fn upstream_a_reset_loses_the_request() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let reset =
        scene.proxy.add_toxic(ToxicSpec::new(ResetPeer::at_once()).only(Direction::Upstream));
    send(&mut client, b"SET").await;
    receive_reset(&mut client).await;
    receive_reset(&mut served).await;
    let effect = scene.remove(reset).effect;
    assert_eq!((effect.connections, effect.reset, effect.held_bytes), (1, 1, 3));
}

#[tokio::test]
async fn downstream_a_reset_loses_the_answer_of_a_request_that_ran() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    scene.proxy.add_toxic(ToxicSpec::new(ResetPeer::at_once()).only(Direction::Downstream));
    send(&mut client, b"SET").await;
    assert_eq!(receive(&mut served, 3).await, b"SET");
    assert_silent(&client);
    send(&mut served, b"OK").await;
    receive_reset(&mut client).await;
    receive_reset(&mut served).await;
}

#[tokio::test]
async fn a_delayed_reset_comes_no_earlier() {
    let scene = Scene::new().await;
    let (mut client, _served) = scene.connect().await;
    scene.add(ResetPeer::after(40 * MS));
    let start = Instant::now();
    send(&mut client, b"SET").await;
    receive_reset(&mut client).await;
    assert!(start.elapsed() >= 40 * MS);
}

#[tokio::test]
async fn the_next_connection_after_the_heal_is_well() {
    let scene = Scene::new().await;
    let (mut client, _served) = scene.connect().await;
    let reset = scene.add(ResetPeer::at_once());
    send(&mut client, b"SET").await;
    receive_reset(&mut client).await;
    scene.remove(reset);
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, b"SET").await;
    assert_eq!(receive(&mut served, 3).await, b"SET");
}

#[tokio::test]
async fn all_open_connections_are_reset_at_once_and_those_to_come_are_not() {
    let scene = Scene::new().await;
    let (mut one, mut served) = scene.connect().await;
    let (mut other, _served) = scene.connect().await;
    assert_eq!(scene.proxy.reset_connections().ended().await, 2);
    for stream in [&mut one, &mut other, &mut served] {
        receive_reset(stream).await;
    }
    assert_eq!(scene.proxy.connections().open, 0);
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, b"SET").await;
    assert_eq!(receive(&mut served, 3).await, b"SET");
    assert!(scene.proxy.toxics().is_empty());
}
