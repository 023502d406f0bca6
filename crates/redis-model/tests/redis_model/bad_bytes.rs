//! Whatever bytes arrive, in whatever pieces: an error or an answer, never a panic.

use bytes::{Bytes, BytesMut};
use lockproof_redis_model::resp::{
    ProtocolError, ReplyParser, RequestParser, encode_reply, encode_request,
};
use lockproof_redis_model::{Options, Protocol, Reply, Server, WallClock};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn random_bytes_are_survived(bytes in vec(any::<u8>(), 0..400), piece in 1..50_usize) {
        feed(&bytes, piece);
    }

    #[test]
    fn bytes_that_look_like_protocol_are_survived(
        parts in vec(token(), 0..40),
        piece in 1..50_usize,
    ) {
        feed(&parts.concat(), piece);
    }

    #[test]
    fn mutated_requests_are_survived(
        requests in vec(request(), 1..6),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        piece in 1..50_usize,
    ) {
        let mut bytes = BytesMut::new();
        requests.iter().for_each(|words| encode_request(words, &mut bytes));
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        feed(&bytes, piece);
    }

    #[test]
    fn requests_survive_any_chunking(
        requests in vec(vec(vec(any::<u8>(), 0..60), 1..5), 1..5),
        piece in 1..50_usize,
    ) {
        let mut bytes = BytesMut::new();
        requests.iter().for_each(|words| encode_request(words, &mut bytes));
        let (mut parser, mut input, mut parsed) = (RequestParser::new(), BytesMut::new(), vec![]);
        for chunk in bytes.chunks(piece) {
            input.extend_from_slice(chunk);
            while let Some(words) = parser.next_request(&mut input).unwrap() {
                parsed.push(words.iter().map(|word| word.to_vec()).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(parsed, requests);
    }

    #[test]
    fn replies_survive_any_chunking(replies in vec(reply(), 1..5), piece in 1..50_usize) {
        let mut bytes = BytesMut::new();
        replies.iter().for_each(|reply| encode_reply(reply, Protocol::Resp2, &mut bytes));
        let (mut parser, mut input, mut parsed) = (ReplyParser::new(), BytesMut::new(), vec![]);
        for chunk in bytes.chunks(piece) {
            input.extend_from_slice(chunk);
            while let Some(reply) = parser.next_reply(&mut input).unwrap() {
                parsed.push(reply);
            }
        }
        prop_assert_eq!(parsed, replies);
    }

    #[test]
    fn typed_replies_survive_any_chunking(
        replies in vec(typed_reply(), 1..5),
        piece in 1..50_usize,
    ) {
        let mut bytes = BytesMut::new();
        replies.iter().for_each(|reply| encode_reply(reply, Protocol::Resp3, &mut bytes));
        let (mut parser, mut input, mut parsed) = (ReplyParser::new(), BytesMut::new(), vec![]);
        for chunk in bytes.chunks(piece) {
            input.extend_from_slice(chunk);
            while let Some(reply) = parser.next_reply(&mut input).unwrap() {
                parsed.push(reply);
            }
        }
        prop_assert_eq!(parsed, replies);
    }

    #[test]
    fn random_scripts_are_survived(script in "[a-z(){}\\[\\]=.,;'\"# 0-9\n]{0,80}") {
        let mut server = server();
        let mut session = server.open_session();
        let words = ["EVAL", &script, "0"].map(|word| Bytes::copy_from_slice(word.as_bytes()));
        server.execute(&mut session, &words, WallClock::default());
    }
}

fn feed(bytes: &[u8], piece: usize) {
    let _ = serve(bytes, piece);
    let (mut parser, mut input) = (ReplyParser::new(), BytesMut::new());
    for chunk in bytes.chunks(piece) {
        input.extend_from_slice(chunk);
        while let Ok(Some(_)) = parser.next_reply(&mut input) {}
    }
}

/// Every reply that the server gives must be one that the reply parser reads.
fn serve(bytes: &[u8], piece: usize) -> Result<(), ProtocolError> {
    let mut server = server();
    let mut session = server.open_session();
    let (mut parser, mut input) = (RequestParser::new(), BytesMut::new());
    for chunk in bytes.chunks(piece) {
        input.extend_from_slice(chunk);
        while let Some(words) = parser.next_request(&mut input)? {
            let reply = server.execute(&mut session, &words, WallClock::default()).into_reply();
            let mut encoded = BytesMut::new();
            encode_reply(&reply, Protocol::Resp3, &mut encoded);
            let sent = encoded.clone();
            let parsed = ReplyParser::new().next_reply(&mut encoded);
            let parsed = parsed.expect("the protocol").expect("a whole reply");
            assert!(encoded.is_empty());
            // The bytes are compared: RESP3 has one null only.
            encode_reply(&parsed, Protocol::Resp3, &mut encoded);
            assert_eq!(encoded, sent);
        }
    }
    Ok(())
}

fn server() -> Server {
    let mut options = Options::default();
    options.scripts.instructions = 100_000;
    Server::new(options)
}

fn token() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"*".to_vec()),
        Just(b"$".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"SET k v ".to_vec()),
        Just(b"*1\r\n$4\r\nPING\r\n".to_vec()),
        Just(b"*999999\r\n".to_vec()),
        Just(b"$536870912\r\n".to_vec()),
        any::<u32>().prop_map(|number| number.to_string().into_bytes()),
        vec(any::<u8>(), 1..4),
    ]
}

fn request() -> impl Strategy<Value = Vec<String>> {
    const WORDS: &str = "SET GET k v NX XX PX 10 -1 EXPIRE GT SCAN 0 MATCH * COUNT EVAL 1 SCRIPT LOAD CLIENT \
        SETNAME HELLO 2 3 INCRBY 9223372036854775807 INFO COMMAND HSET HINCRBY SADD ZADD INCR ZRANGE (1 -inf BYSCORE \
        LIMIT WITHSCORES RPUSH LPOP LREM LRANGE BLPOP MULTI EXEC WATCH DISCARD SUBSCRIBE PUBLISH UNSUBSCRIBE RENAME \
        GETEX APPEND CONFIG notify-keyspace-events KEA AUTH RESET OBJECT ENCODING WAIT PUBSUB NUMSUB";
    let plain = WORDS.split_whitespace();
    let spaced =
        ["", "return KEYS", "return redis.call('get', 'k')", "return cjson.decode(ARGV[1])"];
    let word = prop::sample::select(plain.chain(spaced).collect::<Vec<_>>());
    vec(word.prop_map(str::to_owned), 1..7)
}

/// What RESP3 tells apart, inside and outside of each other.
fn typed_reply() -> impl Strategy<Value = Reply> {
    let text = || vec(any::<u8>(), 0..20);
    let leaf = prop_oneof![
        text().prop_map(Reply::bulk),
        Just(Reply::NullBulk),
        any::<bool>().prop_map(Reply::Boolean),
        any::<i64>().prop_map(|number| Reply::BigNumber(number.to_string().into())),
        any::<f64>().prop_map(|number| Reply::Double(number.to_string().into())),
        text().prop_map(|text| Reply::Verbatim(*b"txt", text.into())),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Reply::Array),
            vec(inner.clone(), 0..5).prop_map(Reply::Set),
            vec(inner.clone(), 0..5).prop_map(Reply::Push),
            vec((inner.clone(), inner), 0..5).prop_map(Reply::Map),
        ]
    })
}

fn reply() -> impl Strategy<Value = Reply> {
    let leaf = prop_oneof![
        vec(any::<u8>(), 0..20).prop_map(Reply::status),
        vec(any::<u8>(), 0..20).prop_map(Reply::error),
        any::<i64>().prop_map(Reply::Integer),
        vec(any::<u8>(), 0..60).prop_map(Reply::bulk),
        Just(Reply::NullBulk),
        Just(Reply::NullArray),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| vec(inner, 0..5).prop_map(Reply::Array))
}
