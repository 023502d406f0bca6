//! Replies in any pieces: what is parsed must survive being encoded and parsed again.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use lockproof_redis_model::resp::{ReplyParser, encode_reply};
use lockproof_redis_model::{Protocol, Reply};

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (piece, bytes) = input;
    let (mut parser, mut input) = (ReplyParser::new(), BytesMut::new());
    for chunk in bytes.chunks(usize::from(piece).max(1)) {
        input.extend_from_slice(chunk);
        loop {
            match parser.next_reply(&mut input) {
                Ok(Some(reply)) => round_trip(reply),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});

fn round_trip(reply: Reply) {
    let mut wire = BytesMut::new();
    encode_reply(&reply, Protocol::Resp3, &mut wire);
    let first = wire.clone();
    let again =
        ReplyParser::new().next_reply(&mut wire).expect("it was a reply").expect("a whole one");
    let mut wire = BytesMut::new();
    encode_reply(&again, Protocol::Resp3, &mut wire);
    // Both nulls of RESP2 are one in RESP3: the bytes are compared, not the values.
    assert_eq!(first, wire);
}
