use lockproof_proxy::{
    Attributes, CATALOG, Direction, Latency, Proxy, Timeout, ToxicSpec, Value, find,
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::yield_now;

use crate::support::{MS, Scene, any_port, receive, receive_all, receive_reset, send, within};

#[tokio::test]
async fn a_client_is_reset_when_the_server_cannot_be_reached() {
    let deaf = TcpSocket::new_v4().unwrap(); // has the port, and does not listen
    deaf.bind(any_port()).unwrap();
    let proxy = Proxy::start(any_port(), deaf.local_addr().unwrap(), 1).await.unwrap();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    receive_reset(&mut client).await;
    within(async {
        while proxy.connections().open > 0 {
            yield_now().await;
        }
    })
    .await;
    let connections = proxy.connections();
    assert_eq!((connections.accepted, connections.unreachable), (1, 1));
}

#[tokio::test]
async fn shutdown_returns_when_all_sockets_are_closed_and_the_port_is_free() {
    let scene = Scene::with_own_port(2).await;
    let (mut client, mut served) = scene.connect().await;
    let address = scene.proxy.address();
    assert_eq!(scene.proxy.connections().open, 1);
    scene.proxy.shutdown().await;
    TcpListener::bind(address).await.unwrap();
    assert_eq!(receive_all(&mut client).await, b"");
    assert_eq!(receive_all(&mut served).await, b"");
}

#[tokio::test]
async fn a_dropped_proxy_closes_its_sockets_and_frees_its_port_even_while_it_holds_bytes() {
    let scene = Scene::with_own_port(3).await;
    let (mut client, mut served) = scene.connect().await;
    let partition = scene.add(Timeout::forever());
    send(&mut client, b"lost").await;
    scene.until(partition, |effect| effect.bit()).await;
    let address = scene.proxy.address();
    drop(scene.proxy);
    assert_eq!(receive_all(&mut client).await, b"");
    assert_eq!(receive_all(&mut served).await, b"");
    within(async {
        while TcpListener::bind(address).await.is_err() {
            yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn toxics_are_listed_in_the_order_of_their_numbers_and_removed_once() {
    let scene = Scene::new().await;
    let slow = scene.add(Latency::new(MS));
    let partition =
        scene.proxy.add_toxic(ToxicSpec::new(Timeout::forever()).only(Direction::Upstream));
    let toxics = scene.proxy.toxics();
    assert_eq!(toxics.iter().map(|toxic| toxic.id).collect::<Vec<_>>(), [slow, partition]);
    assert_eq!(toxics.iter().map(|toxic| &*toxic.name).collect::<Vec<_>>(), ["latency", "timeout"]);
    assert_eq!(toxics[1].direction, Some(Direction::Upstream));
    assert!(toxics.iter().all(|toxic| !toxic.effect.bit()), "nothing came by");
    assert!(scene.proxy.remove_toxic(slow).is_some());
    assert!(scene.proxy.remove_toxic(slow).is_none());
    assert!(scene.add(Latency::new(MS)) > partition, "a number is not used twice");
}

/// Which of the first connections meet a toxic of this toxicity.
async fn exposed(seed: u64, toxicity: f64) -> Vec<bool> {
    let scene = Scene::with_seed(seed).await;
    let spec = ToxicSpec::new(Latency::new(MS)).toxicity(toxicity);
    let toxic = scene.proxy.add_toxic(spec);
    let mut exposed = Vec::new();
    for _ in 0..16 {
        let before = scene.proxy.toxics()[0].effect.connections;
        let (mut client, mut served) = scene.connect().await;
        send(&mut client, b"x").await;
        receive(&mut served, 1).await;
        send(&mut served, b"y").await;
        receive(&mut client, 1).await;
        exposed.push(scene.proxy.toxics()[0].effect.connections > before);
    }
    let effect = scene.remove(toxic).effect;
    assert_eq!(effect.delayed_bytes, 2 * effect.connections, "both directions draw as one");
    exposed
}

#[tokio::test]
async fn toxicity_exposes_some_connections_and_a_seed_decides_which() {
    assert_eq!(exposed(1, 0.0).await, [false; 16]);
    assert_eq!(exposed(1, 1.0).await, [true; 16]);
    let some = exposed(1, 0.5).await;
    assert!(some.contains(&true) && some.contains(&false));
    assert_eq!(exposed(1, 0.5).await, some);
    assert_ne!(exposed(2, 0.5).await, some);
}

#[test]
fn every_entry_of_the_catalog_is_found_by_its_name_and_made_of_what_it_declares() {
    for entry in CATALOG {
        assert_eq!(find(entry.name).unwrap().summary, entry.summary);
        let defaults = entry.attributes.iter();
        let defaults = defaults.map(|known| (known.name.to_owned(), known.default.clone()));
        let given = entry.spec(&defaults.collect()).unwrap();
        let default = entry.spec(&Attributes::new()).unwrap();
        assert_eq!((given.name(), default.name()), (entry.name, entry.name));
        assert_eq!(format!("{given:?}"), format!("{default:?}"));
    }
}

#[test]
fn what_is_given_is_what_a_toxic_is_made_of() {
    let given = |name: &str, attributes: &[(&str, Value)]| {
        let pairs = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        format!("{:?}", find(name).unwrap().spec(&pairs.collect()).unwrap())
    };
    let made = given("latency", &[("jitter", Value::Millis(7 * MS))]);
    assert!(made.contains("latency: 0ns, jitter: 7ms"), "{made}");
    let made = given("slicer", &[("average_size", Value::Count(9))]);
    assert!(made.contains("average_size: 9, size_variation: 0"), "{made}");
    let made = given("redis_rule", &[("command", Value::Text("get".into()))]);
    assert!(made.contains("Command(\"GET\")") && made.contains("DropReply"), "{made}");
}

#[test]
fn what_means_nothing_is_refused_in_words() {
    let refused = |name: &str, attributes: &[(&str, Value)]| {
        let pairs = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        find(name).unwrap().spec(&pairs.collect()).unwrap_err().to_string()
    };
    let text = |text: &'static str| Value::Text(text.into());
    let cases = [
        (
            "latency",
            ("jiter", Value::Millis(MS)),
            "toxic `latency` has no attribute `jiter`; it has: latency, jitter",
        ),
        (
            "latency",
            ("jitter", Value::Count(1)),
            "attribute `jitter` of toxic `latency` takes milliseconds, not a count",
        ),
        (
            "slicer",
            ("size_variation", Value::Count(1)),
            "attribute `size_variation` of toxic `slicer` has to be less than `average_size`",
        ),
        (
            "packet_loss",
            ("loss", Value::Ratio(1.0)),
            "attribute `loss` of toxic `packet_loss` is a probability: from 0 up to, but without, 1",
        ),
        (
            "redis_rule",
            ("command", text("SETT")),
            "`SETT` is no command of Redis 7; did you mean `SET`?",
        ),
        ("redis_rule", ("then", text("delay")), "`delay` by how much? say `delay`"),
        (
            "postgres_rule",
            ("command", text("COMIT")),
            "`COMIT` is no message or statement of Postgres; did you mean `COMMIT`?",
        ),
        (
            "postgres_rule",
            ("key", text("*")),
            "toxic `postgres_rule` has no attribute `key`; it has: command, nth, every, then, delay",
        ),
    ];
    for (name, attribute, why) in cases {
        assert_eq!(refused(name, &[attribute]), why);
    }
    let ping = [("command", text("PING")), ("key", text("*"))];
    assert_eq!(refused("redis_rule", &ping), "PING has no key, so this rule could never match");
}
