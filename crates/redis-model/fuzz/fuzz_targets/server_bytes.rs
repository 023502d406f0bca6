//! Bytes from a client: every command, whatever it says, is survived, and every reply can be read.

#![no_main]

use std::time::Duration;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use lockproof_redis_model::resp::{ReplyParser, RequestParser, encode_reply};
use lockproof_redis_model::{Execution, Options, Server, WallClock};

fuzz_target!(|bytes: &[u8]| {
    let mut options = Options::default();
    options.scripts.instructions = 100_000;
    options.scripts.memory_bytes = 4 << 20;
    let mut server = Server::new(options);
    let mut session = server.open_session();
    let mut now = WallClock::from_unix_millis(1_700_000_000_000);
    let (mut parser, mut input) = (RequestParser::new(), BytesMut::from(bytes));
    while let Ok(Some(words)) = parser.next_request(&mut input) {
        now = now.after(Duration::from_millis(7));
        let execution = server.execute(&mut session, &words, now);
        let mut replies = session.take_pushes();
        match execution {
            Execution::Reply(reply) => replies.push(reply),
            Execution::Close(_) => return,
            Execution::Pushed => {}
            Execution::Blocked { until: Some(until) } => {
                now = now.max(until);
                replies.push(server.resume(&mut session, now).expect("its time is over"));
            }
            Execution::Blocked { until: None } => return,
        }
        for reply in replies {
            let mut wire = BytesMut::new();
            encode_reply(&reply, session.protocol(), &mut wire);
            let parsed = ReplyParser::new().next_reply(&mut wire);
            assert!(matches!(parsed, Ok(Some(_))), "{reply:?}");
            assert!(wire.is_empty(), "{reply:?}");
        }
    }
});
