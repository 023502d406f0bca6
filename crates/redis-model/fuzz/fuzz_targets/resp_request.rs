//! Requests in any pieces: the pieces must not matter, and nothing may panic.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use lockproof_redis_model::resp::{ProtocolError, RequestParser};

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (piece, bytes) = input;
    assert_eq!(parse(&bytes, usize::from(piece).max(1)), parse(&bytes, bytes.len().max(1)));
});

/// All requests, and the error that ended them.
fn parse(bytes: &[u8], piece: usize) -> (Vec<Vec<Bytes>>, Option<ProtocolError>) {
    let (mut parser, mut input, mut requests) = (RequestParser::new(), BytesMut::new(), Vec::new());
    for chunk in bytes.chunks(piece) {
        input.extend_from_slice(chunk);
        loop {
            match parser.next_request(&mut input) {
                Ok(Some(request)) => requests.push(request),
                Ok(None) => break,
                Err(error) => return (requests, Some(error)),
            }
        }
    }
    (requests, None)
}
