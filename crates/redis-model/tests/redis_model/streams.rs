use bytes::BytesMut;
use lockproof_redis_model::resp::{ReplyParser, encode_request};
use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve_connection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use crate::support::show;

const NOW: WallClock = WallClock::from_unix_millis(1_700_000_000_000);

/// Runs `visit` against a served connection.
async fn with_server<F: Future<Output = ()>>(visit: impl FnOnce(DuplexStream) -> F) {
    let (near, far) = duplex(64);
    let server = SharedServer::new(Server::new(Options::default()));
    let (served, ()) = tokio::join!(serve_connection(far, server, || NOW), visit(near));
    served.expect("the stream holds");
}

async fn talk(sent: &[u8]) -> String {
    let (mut answer, sent) = (Vec::new(), sent.to_vec());
    with_server(async |near| {
        let (mut reader, mut writer) = tokio::io::split(near);
        let sending = async {
            // The server may close first, when the protocol is broken or at QUIT.
            if writer.write_all(&sent).await.is_ok() {
                writer.shutdown().await.expect("the stream holds");
            }
        };
        let ((), read) = tokio::join!(sending, reader.read_to_end(&mut answer));
        read.expect("the stream holds");
    })
    .await;
    String::from_utf8(answer).expect("these replies are text")
}

#[test]
fn servers_and_connections_cross_threads() {
    fn crosses<T: Send>(_: &T) {}
    let server = SharedServer::new(Server::new(Options::default()));
    crosses(&server);
    crosses(&serve_connection(duplex(64).0, server.clone(), || NOW));
    let thread = std::thread::spawn(move || server.with(|server| server.open_session().id()));
    assert_eq!(thread.join().unwrap(), 1);
}

#[tokio::test]
async fn a_pipeline_is_answered_in_order() {
    let mut sent = BytesMut::new();
    for number in 0..1_000 {
        encode_request(&["INCRBY", "n", &number.to_string()], &mut sent);
    }
    encode_request(&["GET", "n"], &mut sent);
    let mut answer = BytesMut::from(talk(&sent).await.as_bytes());
    let mut parser = ReplyParser::new();
    let mut total = 0;
    for number in 0..1_000 {
        total += number;
        let reply = parser.next_reply(&mut answer).unwrap().unwrap();
        assert_eq!(show(&reply), format!(":{total}"));
    }
    assert_eq!(show(&parser.next_reply(&mut answer).unwrap().unwrap()), "\"499500\"");
    assert!(answer.is_empty());
}

#[tokio::test]
async fn inline_requests_and_empty_ones_work() {
    let sent = b"\r\n*0\r\n*-1\r\nset k \"a b\"\r\nGET k\r\nping\nquit\r\nping\r\n";
    assert_eq!(talk(sent).await, "+OK\r\n$3\r\na b\r\n+PONG\r\n+OK\r\n");
}

#[tokio::test]
async fn broken_protocol_is_answered_in_redis_words_and_closed() {
    let long = "x".repeat(70_000);
    for (sent, wanted) in [
        ("*x\r\n", "invalid multibulk length"),
        ("*1048577\r\n", "invalid multibulk length"),
        ("*99999999999999999999\r\n", "invalid multibulk length"),
        ("*1\r\nPING\r\n", "expected '$', got 'P'"),
        ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("set k \"open\r\n", "unbalanced quotes in request"),
        (&long, "too big inline request"),
        (&format!("*{long}"), "too big mbulk count string"),
        (&format!("*1\r\n${long}"), "too big bulk count string"),
    ] {
        let answer = talk(format!("PING\r\n{sent}").as_bytes()).await;
        assert_eq!(answer, format!("+PONG\r\n-ERR Protocol error: {wanted}\r\n"));
    }
}

#[tokio::test]
async fn the_real_client_library_works_over_a_stream() {
    with_server(async |near| {
        let info = redis::RedisConnectionInfo::default();
        let (mut connection, driver) =
            redis::aio::MultiplexedConnection::new(&info, near).await.unwrap();
        let asking = async move {
            let set = redis::cmd("SET").arg("lock").arg("me").arg("NX").arg("PX").arg(100).clone();
            let first: Option<String> = set.query_async(&mut connection).await.unwrap();
            let second: Option<String> = set.query_async(&mut connection).await.unwrap();
            assert_eq!((first.as_deref(), second), (Some("OK"), None));
            let script = redis::Script::new(
                "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) \
                 else return 0 end",
            );
            let deleted: i64 =
                script.key("lock").arg("me").invoke_async(&mut connection).await.unwrap();
            assert_eq!(deleted, 1);
            let error = redis::cmd("NOSUCH").query_async::<()>(&mut connection).await.unwrap_err();
            assert!(error.to_string().contains("unknown command"), "{error}");
        };
        tokio::select! {
            () = asking => {}
            () = driver => panic!("the connection ended first"),
        }
    })
    .await;
}
