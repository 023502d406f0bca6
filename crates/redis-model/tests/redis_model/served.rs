//! What arrives unasked, over real streams and with the real client library.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lockproof_redis_model::{
    Options, Server, SharedServer, WallClock, serve, serve_connection, serve_connection_with,
};
use redis::aio::MultiplexedConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinSet;

const NOW: WallClock = WallClock::from_unix_millis(1_700_000_000_000);

struct Served {
    server: SharedServer,
    connections: JoinSet<()>,
}

impl Served {
    fn new() -> Self {
        let server = SharedServer::new(Server::new(Options::default()));
        Self { server, connections: JoinSet::new() }
    }

    fn connect(&mut self) -> DuplexStream {
        let (near, far) = duplex(1 << 10);
        let server = self.server.clone();
        self.connections.spawn(async { drop(serve_connection(far, server, || NOW).await) });
        near
    }

    async fn client(&mut self, protocol: redis::ProtocolVersion) -> MultiplexedConnection {
        let info = redis::RedisConnectionInfo::default().set_protocol(protocol);
        let stream = self.connect();
        let (tell, told) = tokio::sync::oneshot::channel();
        // The driver borrows what the connection was told.
        self.connections.spawn(async move {
            let (connection, driver) =
                MultiplexedConnection::new(&info, stream).await.expect("the stream holds");
            assert!(tell.send(connection).is_ok());
            driver.await;
        });
        told.await.expect("the stream holds")
    }
}

async fn exchange(stream: &mut DuplexStream, sent: &str, wanted: &str) {
    stream.write_all(sent.as_bytes()).await.expect("the stream holds");
    let mut answer = vec![0; wanted.len()];
    stream.read_exact(&mut answer).await.expect("the stream holds");
    assert_eq!(String::from_utf8_lossy(&answer), wanted);
}

#[tokio::test]
async fn messages_reach_a_waiting_subscriber() {
    let mut served = Served::new();
    let (mut listener, mut speaker) = (served.connect(), served.connect());
    let confirmed = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
    exchange(&mut listener, "SUBSCRIBE news\r\n", confirmed).await;
    exchange(&mut speaker, "PUBLISH news hi\r\n", ":1\r\n").await;
    exchange(&mut listener, "", "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n").await;
    exchange(&mut listener, "RESET\r\nHELLO 3\r\n", "+RESET\r\n%7\r\n").await;
}

#[tokio::test]
async fn a_push_comes_before_the_reply_of_its_own_publisher() {
    let mut stream = Served::new().connect_alone().await;
    exchange(
        &mut stream.0,
        "SUBSCRIBE c\r\nPUBLISH c x\r\n",
        ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n:1\r\n",
    )
    .await;
}

impl Served {
    /// One connection that speaks RESP3; the server stays as long as the tuple.
    async fn connect_alone(mut self) -> (DuplexStream, Self) {
        let mut stream = self.connect();
        let mut greeting = vec![0; 16 << 10];
        stream.write_all(b"HELLO 3\r\n").await.expect("the stream holds");
        let mut read = 0;
        while !greeting[..read].ends_with(b"modules\r\n*0\r\n") {
            read += stream.read(&mut greeting[read..]).await.expect("the stream holds");
        }
        (stream, self)
    }
}

#[tokio::test]
async fn a_blocked_client_is_woken_and_its_pipeline_goes_on() {
    let mut served = Served::new();
    let (mut waiting, mut giving) = (served.connect(), served.connect());
    waiting.write_all(b"BLPOP l 0\r\nPING\r\n").await.unwrap();
    // Served in turn on this thread: by then the first one is blocked.
    exchange(&mut giving, "PING\r\n", "+PONG\r\n").await;
    exchange(&mut giving, "RPUSH l x\r\n", ":1\r\n").await;
    exchange(&mut waiting, "", "*2\r\n$1\r\nl\r\n$1\r\nx\r\n+PONG\r\n").await;
}

/// A clock that goes only when somebody sleeps.
#[tokio::test]
async fn time_over_and_expiries_are_told_by_the_timer() {
    let server = SharedServer::new(Server::new(Options::default()));
    let millis = Arc::new(AtomicU64::new(0));
    let (near, far) = duplex(1 << 10);
    let clock = {
        let millis = Arc::clone(&millis);
        move || WallClock::from_unix_millis(1_000_000 + millis.load(Ordering::Relaxed))
    };
    let sleep = move |nap: Duration| {
        let millis = Arc::clone(&millis);
        async move {
            tokio::task::yield_now().await;
            let nap = u64::try_from(nap.as_nanos().div_ceil(1_000_000)).unwrap();
            millis.fetch_add(nap, Ordering::Relaxed);
        }
    };
    let talking = async {
        let mut near = near;
        exchange(&mut near, "BLPOP l 0.5\r\n", "*-1\r\n").await;
        exchange(
            &mut near,
            "CONFIG SET notify-keyspace-events Ex\r\nSET k v PX 250\r\n",
            "+OK\r\n+OK\r\n",
        )
        .await;
        let channel = "__keyevent@0__:expired";
        let confirmed = format!("*3\r\n$9\r\nsubscribe\r\n$22\r\n{channel}\r\n:1\r\n");
        exchange(&mut near, &format!("SUBSCRIBE {channel}\r\n"), &confirmed).await;
        exchange(&mut near, "", &format!("*3\r\n$7\r\nmessage\r\n$22\r\n{channel}\r\n$1\r\nk\r\n"))
            .await;
    };
    let (served, ()) = tokio::join!(serve_connection_with(far, server, clock, sleep), talking);
    served.unwrap();
}

#[tokio::test]
async fn the_real_client_library_speaks_resp3() {
    let mut served = Served::new();
    let mut connection = served.client(redis::ProtocolVersion::RESP3).await;
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HSET").arg("h").arg("a").arg(1).cmd("ZADD").arg("z").arg(1.5).arg("m");
    let added: (i64, i64) = pipe.query_async(&mut connection).await.unwrap();
    assert_eq!(added, (1, 1));
    let all = redis::cmd("HGETALL").arg("h").query_async::<redis::Value>(&mut connection).await;
    assert!(matches!(all, Ok(redis::Value::Map(_))), "{all:?}");
    let score = redis::cmd("ZSCORE").arg("z").arg("m").query_async(&mut connection).await;
    assert_eq!(score, Ok(redis::Value::Double(1.5)));
    let none = redis::cmd("GET").arg("nothing").query_async(&mut connection).await;
    assert_eq!(none, Ok(redis::Value::Nil));
    let aborted: Option<(i64,)> = {
        redis::cmd("WATCH").arg("h").query_async::<()>(&mut connection).await.unwrap();
        let mut other = served.client(redis::ProtocolVersion::RESP2).await;
        redis::cmd("HSET").arg("h").arg("a").arg(2).query_async::<i64>(&mut other).await.unwrap();
        redis::pipe().atomic().cmd("DEL").arg("h").query_async(&mut connection).await.unwrap()
    };
    assert_eq!(aborted, None);
}

#[tokio::test]
async fn sockets_are_served_and_closing_the_server_closes_them() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = SharedServer::new(Server::new(Options::default()));
    let mut serving = JoinSet::new();
    serving.spawn(serve(listener, server.clone(), || NOW));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"SET k v\r\n").await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n");
    serving.shutdown().await;
    assert!(!matches!(stream.read(&mut answer).await, Ok(1..)));
    assert_eq!(server.with(|server| server.keys_matching(0, b"*", NOW)), ["k"]);
}
