//! Bytes for the wire.

use bytes::{BufMut as _, BytesMut};

use crate::reply::Reply;

/// Appends `reply` to `out` as RESP2.
pub fn encode_reply(reply: &Reply, out: &mut BytesMut) {
    match reply {
        Reply::Status(text) => line(b'+', text, out),
        Reply::Error(text) => line(b'-', text, out),
        Reply::Integer(number) => line(b':', itoa::Buffer::new().format(*number).as_bytes(), out),
        Reply::Bulk(text) => bulk(text, out),
        Reply::NullBulk => out.put_slice(b"$-1\r\n"),
        Reply::NullArray => out.put_slice(b"*-1\r\n"),
        Reply::Array(replies) => {
            header(b'*', replies.len(), out);
            replies.iter().for_each(|reply| encode_reply(reply, out));
        }
    }
}

/// Appends a request to `out`, as client libraries send it.
pub fn encode_request(words: &[impl AsRef<[u8]>], out: &mut BytesMut) {
    header(b'*', words.len(), out);
    words.iter().for_each(|word| bulk(word.as_ref(), out));
}

fn bulk(text: &[u8], out: &mut BytesMut) {
    header(b'$', text.len(), out);
    out.put_slice(text);
    out.put_slice(b"\r\n");
}

fn header(kind: u8, count: usize, out: &mut BytesMut) {
    line(kind, itoa::Buffer::new().format(count).as_bytes(), out);
}

fn line(kind: u8, text: &[u8], out: &mut BytesMut) {
    out.put_u8(kind);
    out.put_slice(text);
    out.put_slice(b"\r\n");
}
