//! Bytes for the wire.

use bytes::{BufMut as _, BytesMut};

use crate::reply::{Protocol, Reply};

/// Appends `reply` to `out`, in the words of `protocol`.
pub fn encode_reply(reply: &Reply, protocol: Protocol, out: &mut BytesMut) {
    let all = |replies: &[Reply], out: &mut BytesMut| {
        replies.iter().for_each(|reply| encode_reply(reply, protocol, out));
    };
    match reply {
        Reply::Status(text) => line(b'+', text, out),
        Reply::Error(text) => line(b'-', text, out),
        Reply::Integer(number) => line(b':', itoa::Buffer::new().format(*number).as_bytes(), out),
        Reply::Bulk(text) => bulk(b'$', text, out),
        Reply::NullBulk | Reply::NullArray if protocol == Protocol::Resp3 => line(b'_', b"", out),
        Reply::NullBulk => line(b'$', b"-1", out),
        Reply::NullArray => line(b'*', b"-1", out),
        Reply::Array(replies) => {
            header(b'*', replies.len(), out);
            all(replies, out);
        }
        Reply::Map(pairs) => {
            match protocol {
                Protocol::Resp3 => header(b'%', pairs.len(), out),
                Protocol::Resp2 => header(b'*', 2 * pairs.len(), out),
            }
            for (name, value) in pairs {
                encode_reply(name, protocol, out);
                encode_reply(value, protocol, out);
            }
        }
        Reply::Set(replies) => {
            header(if protocol == Protocol::Resp3 { b'~' } else { b'*' }, replies.len(), out);
            all(replies, out);
        }
        Reply::Push(replies) => {
            header(if protocol == Protocol::Resp3 { b'>' } else { b'*' }, replies.len(), out);
            all(replies, out);
        }
        Reply::Double(_) | Reply::Boolean(_) | Reply::BigNumber(_) | Reply::Verbatim(..) => {
            scalar(reply, protocol, out);
        }
    }
}

/// What RESP3 tells apart and RESP2 does not.
fn scalar(reply: &Reply, protocol: Protocol, out: &mut BytesMut) {
    match (reply, protocol) {
        (Reply::Double(digits), Protocol::Resp3) => line(b',', digits, out),
        (Reply::BigNumber(digits), Protocol::Resp3) => line(b'(', digits, out),
        (Reply::Verbatim(format, text), Protocol::Resp3) => {
            header(b'=', format.len() + 1 + text.len(), out);
            out.put_slice(format);
            out.put_u8(b':');
            out.put_slice(text);
            out.put_slice(b"\r\n");
        }
        (Reply::Boolean(truth), Protocol::Resp3) => {
            line(b'#', if *truth { b"t" } else { b"f" }, out);
        }
        (Reply::Boolean(truth), Protocol::Resp2) => {
            line(b':', if *truth { b"1" } else { b"0" }, out);
        }
        (Reply::Double(text) | Reply::BigNumber(text) | Reply::Verbatim(_, text), _) => {
            bulk(b'$', text, out);
        }
        _ => {}
    }
}

/// Appends a request to `out`, as client libraries send it.
pub fn encode_request(words: &[impl AsRef<[u8]>], out: &mut BytesMut) {
    header(b'*', words.len(), out);
    words.iter().for_each(|word| bulk(b'$', word.as_ref(), out));
}

fn bulk(kind: u8, text: &[u8], out: &mut BytesMut) {
    header(kind, text.len(), out);
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
