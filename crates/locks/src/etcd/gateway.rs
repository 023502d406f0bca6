//! One connection to the gateway: HTTP/1.1, one request at a time.

use std::pin::{Pin, pin};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::coordinator::Dial;
use crate::{ByteStream, LockError, Result};

/// No answer that a lock waits for comes near it.
const LONGEST_ANSWER: usize = 1 << 20;

/// What has to be polled for a request to get on.
type Driven = Connection<TokioIo<ByteStream>, Full<Bytes>>;

pub(super) struct Gateway {
    requests: SendRequest<Full<Bytes>>,
    /// None once it has ended: what still waits for an answer learns of it when it is dropped.
    connection: Option<Pin<Box<Driven>>>,
}

impl Gateway {
    pub(super) async fn dial(dial: &Dial) -> Result<Self> {
        let (requests, connection) = handshake(TokioIo::new(dial.connect().await?))
            .await
            .map_err(|error| LockError::definite("could not speak to etcd").because(error))?;
        Ok(Self { requests, connection: Some(Box::pin(connection)) })
    }

    /// Whether it can take another request, as far as is known by now: nobody has looked while it was idle.
    pub(super) fn is_open(&mut self) -> bool {
        let connection = self.connection.as_mut();
        let stands = connection.is_some_and(|connection| connection.now_or_never().is_none());
        stands && !self.requests.is_closed()
    }

    /// Sends one request and reads its answer; none for something that etcd does not find.
    pub(super) async fn post(&mut self, method: &str, request: &Value) -> Result<Option<Value>> {
        let Self { requests, connection: kept } = self;
        let Some(connection) = kept.as_mut() else {
            return Err(LockError::definite("the connection to etcd has ended"));
        };
        let request = Request::post(format!("/v3/{method}"))
            .header("host", "etcd")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(request.to_string())))
            .map_err(|error| LockError::definite("no such request").because(error))?;
        let exchange = async {
            let answer = requests.send_request(request).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((head.status, body.to_bytes()))
        };
        let exchange = pin!(exchange);
        // Whichever ends first: a connection that has ended has left its answer, or the error that it ended with.
        let answer = match select(exchange, connection.as_mut()).await {
            Either::Left((answer, _)) => answer,
            Either::Right((_, exchange)) => {
                *kept = None;
                exchange.await
            }
        };
        let (status, body) =
            answer.map_err(|error| LockError::indefinite("etcd did not answer").because(error))?;
        understand(method, status, &body)
    }
}

/// Codes of gRPC with which a server refuses before it does anything.
const REFUSALS: [i64; 7] = [3, 6, 7, 9, 11, 12, 16];
const NOT_FOUND: i64 = 5;

fn understand(method: &str, status: StatusCode, body: &[u8]) -> Result<Option<Value>> {
    // What streams is answered with one object per message; there is one.
    let first = serde_json::Deserializer::from_slice(body).into_iter::<Value>().next();
    let answer = match first {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => {
            let what = format!("etcd answered {method} with something that is no JSON ({status})");
            return Err(LockError::indefinite(what).because(error));
        }
        None => return Err(LockError::indefinite(format!("etcd answered {method} with nothing"))),
    };
    // Within a stream, an error is a member of the object, under a status of 200.
    let error = if answer["error"].is_object() { &answer["error"] } else { &answer };
    let code = error["code"].as_i64().or_else(|| error["grpc_code"].as_i64());
    match code {
        None if status.is_success() => Ok(Some(answer)),
        Some(NOT_FOUND) => Ok(None),
        code => {
            let message = error["message"].as_str().unwrap_or("it did not say why");
            let what = format!("etcd refused {method} ({status}): {message}");
            let refused = code.is_some_and(|code| REFUSALS.contains(&code));
            Err(if refused { LockError::definite(what) } else { LockError::indefinite(what) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Option<Value>> {
        understand("kv/txn", StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn only_a_refusal_is_definite() {
        let refused = r#"{"error":"x","message":"etcdserver: lease already exists","code":9}"#;
        assert!(read(400, refused).unwrap_err().is_definite());
        let nobody_knows = r#"{"error":"x","message":"etcdserver: request timed out","code":14}"#;
        assert!(!read(503, nobody_knows).unwrap_err().is_definite());
        for unreadable in ["", "<html>", "{"] {
            assert!(!read(200, unreadable).unwrap_err().is_definite(), "{unreadable}");
        }
    }

    #[test]
    fn what_is_not_there_is_no_error() {
        let gone = r#"{"error":"x","message":"etcdserver: requested lease not found","code":5}"#;
        assert_eq!(read(404, gone).unwrap(), None);
        let streamed = "{\"result\":{\"ID\":\"7\",\"TTL\":\"1\"}}\n";
        assert_eq!(read(200, streamed).unwrap().unwrap()["result"]["TTL"], "1");
        let streamed = r#"{"error":{"grpc_code":14,"message":"leader lost"}}"#;
        assert!(!read(200, streamed).unwrap_err().is_definite());
    }
}
