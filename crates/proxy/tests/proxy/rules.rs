use std::sync::Arc;

use lockproof_proxy::{Choice, Deed, Latency, Pattern, Protocol, Rule, Timeout, ToxicSpec};

use crate::support::{MS, Scene, receive, receive_all, send};

const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";

fn rule(command: &str, deed: Deed) -> ToxicSpec {
    let pattern = Pattern::any(Protocol::Redis).named(command).expect("Redis has it");
    ToxicSpec::rule(Arc::new(Rule::new(pattern, Choice::Nth(1), deed)))
}

#[tokio::test]
async fn a_rule_applies_to_connections_that_are_opened_after_it() {
    let scene = Scene::new().await;
    let (mut old, mut old_served) = scene.connect().await;
    send(&mut old, GET).await;
    assert_eq!(receive(&mut old_served, GET.len()).await, GET);
    let id = scene.proxy.add_toxic(rule("SET", Deed::DropReply));
    let (mut client, mut served) = scene.connect().await;
    send(&mut old, SET).await;
    assert_eq!(receive(&mut old_served, SET.len()).await, SET);
    send(&mut old_served, b"_\r\n+OK\r\n").await;
    assert_eq!(receive(&mut old, 8).await, b"_\r\n+OK\r\n");

    send(&mut client, SET).await;
    assert_eq!(receive(&mut served, SET.len()).await, SET);
    send(&mut served, b"+OK\r\n").await;
    assert_eq!(receive_all(&mut client).await, b"");
    assert_eq!(receive_all(&mut served).await, b"");
    assert_eq!(scene.remove(id).effect.closed, 1);
}

#[tokio::test]
async fn where_a_proxy_follows_a_rule_applies_to_open_connections_too() {
    let scene = Scene::new().await;
    scene.proxy.follow(Protocol::Redis);
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, &GET[..7]).await;
    assert_eq!(receive(&mut served, 7).await, &GET[..7]);
    scene.proxy.add_toxic(rule("GET", Deed::DropRequest));
    send(&mut client, &GET[7..]).await;
    let rest = receive_all(&mut served).await;
    assert!(rest.len() < GET.len() - 7, "the request arrived");
    assert_eq!(receive_all(&mut client).await, b"");
}

#[tokio::test]
async fn a_rule_of_another_protocol_means_nothing() {
    let scene = Scene::new().await;
    scene.proxy.follow(Protocol::Redis);
    let any = Rule::new(Pattern::any(Protocol::Postgres), Choice::Every(1), Deed::DropRequest);
    scene.proxy.add_toxic(ToxicSpec::rule(Arc::new(any)));
    let (mut client, mut served) = scene.connect().await;
    send(&mut client, GET).await;
    assert_eq!(receive(&mut served, GET.len()).await, GET);
}

#[tokio::test]
async fn a_toxic_takes_another_s_place_without_a_gap() {
    let scene = Scene::new().await;
    let (mut client, mut served) = scene.connect().await;
    let hold = scene.add(Timeout::forever());
    send(&mut client, b"held").await;
    scene.until(hold, |effect| effect.held_bytes == 4).await;
    let still = scene.proxy.replace_toxic(hold, ToxicSpec::new(Timeout::forever()));
    scene.until(still, |effect| effect.held_bytes == 4).await;
    let slow = scene.proxy.replace_toxic(still, ToxicSpec::new(Latency::new(MS)));
    assert_eq!(receive(&mut served, 4).await, b"held");
    assert_eq!(scene.remove(slow).effect.delayed_bytes, 4);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_thousand_injections_leave_nothing_behind() {
    fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").expect("Linux has it").count()
    }
    let scene = Scene::new().await;
    scene.proxy.follow(Protocol::Redis);
    let (mut client, mut served) = scene.connect().await;
    let before = descriptors();
    for _ in 0..1000 {
        let ids = [
            scene.add(Latency::new(MS)),
            scene.add(Timeout::forever()),
            scene.proxy.add_toxic(rule("SET", Deed::Hold)),
        ];
        send(&mut client, SET).await;
        scene.until(ids[1], |effect| effect.bit()).await;
        for id in ids {
            scene.remove(id);
        }
        assert_eq!(receive(&mut served, SET.len()).await, SET);
    }
    assert_eq!(descriptors(), before);
    assert!(scene.proxy.toxics().is_empty());
    assert_eq!(scene.proxy.connections().open, 1);
}
