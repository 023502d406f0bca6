//! The way to a service: HTTP/1.1, one connection, one request at a time.
//!
//! A connection is polled within the request that uses it: no task of its own reads it, so that nothing goes on while
//! its holder stands still. It is dialled when it is first needed, and again after it broke or was left in the middle of
//! a request; no request is ever sent twice by itself, which a pool of connections would do.

use std::fmt;
use std::fmt::Debug;
use std::pin::{Pin, pin};
use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use lockproof_model::Certainty;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::base::BaseUrl;

/// No answer about a booking comes near it.
const LONGEST_ANSWER: usize = 8 << 20;

/// A request as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// The path, with a query where it has one.
    pub path: String,
    /// Name and value of each.
    pub headers: Vec<(String, String)>,
    /// What is sent after them.
    pub body: Option<String>,
}

/// Without headers, which may be secret.
impl Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    body: Vec<u8>,
    json: OnceLock<Value>,
}

impl HttpAnswer {
    /// With that status and body.
    #[must_use]
    pub const fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, json: OnceLock::new() }
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its body as JSON; null where it is none.
    pub fn json(&self) -> &Value {
        self.json.get_or_init(|| serde_json::from_slice(&self.body).unwrap_or_default())
    }
}

/// A request had no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NoAnswer {
    what: String,
    certainty: Certainty,
}

impl NoAnswer {
    /// It never left.
    pub fn definite(what: impl Into<String>) -> Self {
        Self { what: what.into(), certainty: Certainty::Definite }
    }

    /// It may have been carried out.
    pub fn indefinite(what: impl Into<String>) -> Self {
        Self { what: what.into(), certainty: Certainty::Indefinite }
    }

    /// Whether it certainly was not carried out.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        self.certainty == Certainty::Definite
    }
}

/// One holder's way to a service.
pub trait Courier: Debug + Send {
    /// Sends `request` once and gives its answer.
    ///
    /// # Errors
    /// There was none; whether it may have been carried out all the same is said.
    ///
    /// # Cancel safety
    /// Dropped, the connection is closed; the request may have been carried out.
    fn send<'a>(
        &'a mut self,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpAnswer, NoAnswer>>;
}

/// What has to be polled for a request to get on.
type Driven = Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// A courier over TCP.
pub struct TcpCourier {
    base: BaseUrl,
    /// None where the next request has to dial.
    way: Option<Way>,
}

struct Way {
    requests: SendRequest<Full<Bytes>>,
    /// None once it has ended.
    connection: Option<Pin<Box<Driven>>>,
}

impl TcpCourier {
    /// A courier that dials `base` when it is first asked.
    #[must_use]
    pub const fn new(base: BaseUrl) -> Self {
        Self { base, way: None }
    }

    async fn dial(&self) -> Result<Way, NoAnswer> {
        let base = &self.base;
        let cannot = |error: &dyn fmt::Display| {
            NoAnswer::definite(format!("could not connect to {base}: {error}"))
        };
        let stream = TcpStream::connect(base.place()).await.map_err(|error| cannot(&error))?;
        stream.set_nodelay(true).map_err(|error| cannot(&error))?;
        let shaken = handshake(TokioIo::new(stream)).await;
        let (requests, connection) = shaken.map_err(|error| cannot(&error))?;
        Ok(Way { requests, connection: Some(Box::pin(connection)) })
    }

    fn request(&self, request: &HttpRequest) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let built = Request::builder()
            .method(request.method)
            .uri(self.base.path(&request.path))
            .header(HOST, self.base.authority());
        let typed = request.headers.iter().any(|(name, _)| CONTENT_TYPE == *name.to_lowercase());
        let built = match &request.body {
            Some(_) if !typed => built.header(CONTENT_TYPE, "application/json"),
            _ => built,
        };
        let with = |built: hyper::http::request::Builder, (name, value): &(String, String)| {
            built.header(name.as_str(), value.as_str())
        };
        let built = request.headers.iter().fold(built, with);
        let body = request.body.clone().map(Bytes::from).unwrap_or_default();
        built
            .body(Full::new(body))
            .map_err(|error| NoAnswer::definite(format!("{request:?} is no request: {error}")))
    }

    async fn exchange(&mut self, request: &HttpRequest) -> Result<HttpAnswer, NoAnswer> {
        let sent = self.request(request)?;
        // Taken for as long as the request is on its way: dropped in the middle of it, it is of no further use.
        let idle = self.way.take().and_then(Way::still_open);
        let mut way = match idle {
            Some(way) => way,
            None => self.dial().await?,
        };
        let answer = way.carry(sent).await;
        let answer = answer
            .map_err(|error| NoAnswer::indefinite(format!("{request:?} had no answer: {error}")))?;
        self.way = way.still_open();
        Ok(answer)
    }
}

impl Courier for TcpCourier {
    fn send<'a>(
        &'a mut self,
        request: &'a HttpRequest,
    ) -> BoxFuture<'a, Result<HttpAnswer, NoAnswer>> {
        self.exchange(request).boxed()
    }
}

impl Debug for TcpCourier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpCourier").field("to", &self.base.to_string()).finish_non_exhaustive()
    }
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

impl Way {
    /// Itself, if it can take another request, as far as is known by now: nobody has looked while it was idle.
    fn still_open(mut self) -> Option<Self> {
        let connection = self.connection.as_mut();
        let stands = connection.is_some_and(|connection| connection.now_or_never().is_none());
        (stands && !self.requests.is_closed()).then_some(self)
    }

    async fn carry(&mut self, request: Request<Full<Bytes>>) -> Result<HttpAnswer, Broken> {
        let Self { requests, connection: kept } = self;
        let Some(connection) = kept.as_mut() else { return Err("the connection has ended".into()) };
        let exchange = async {
            requests.ready().await?;
            let (head, body) = requests.send_request(request).await?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await?;
            Ok::<_, Broken>(HttpAnswer::new(head.status.as_u16(), body.to_bytes().to_vec()))
        };
        // Whichever ends first: a connection that has ended has left its answer, or the error that it ended with.
        match select(pin!(exchange), connection.as_mut()).await {
            Either::Left((answer, _)) => answer,
            Either::Right((ended, exchange)) => {
                *kept = None;
                let closed = || ended.err().map_or_else(|| "it was closed".into(), Into::into);
                exchange.now_or_never().unwrap_or_else(|| Err(closed()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn get() -> HttpRequest {
        HttpRequest { method: "GET", path: "/x".to_owned(), headers: Vec::new(), body: None }
    }

    async fn listening() -> (TcpListener, TcpCourier) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = BaseUrl::local(listener.local_addr().unwrap().port());
        (listener, TcpCourier::new(base))
    }

    /// Answers one request on `stream` with `answer`.
    async fn answers(stream: &mut TcpStream, answer: &str) -> String {
        let mut read = vec![0; 4096];
        let length = stream.read(&mut read).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&read[..length]).into_owned()
    }

    #[tokio::test]
    async fn one_connection_serves_one_request_after_the_other() {
        let (listener, mut courier) = listening().await;
        let serves = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let seen =
                answers(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"a\": 1}")
                    .await;
            assert!(seen.starts_with("GET /x HTTP/1.1\r\nhost: 127.0.0.1:"), "{seen}");
            answers(&mut stream, "HTTP/1.1 409 No\r\ncontent-length: 0\r\n\r\n").await;
        };
        let asks = async {
            let first = courier.send(&get()).await.unwrap();
            assert_eq!((first.status, first.json()["a"].as_i64()), (200, Some(1)));
            assert_eq!(courier.send(&get()).await.unwrap().status, 409);
        };
        futures_util::join!(serves, asks);
    }

    #[tokio::test]
    async fn a_connection_that_breaks_leaves_nobody_knowing_and_is_dialled_again() {
        let (listener, mut courier) = listening().await;
        let serves = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            answers(&mut stream, "").await;
            drop(stream);
            let (mut stream, _) = listener.accept().await.unwrap();
            answers(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        };
        let asks = async {
            assert!(!courier.send(&get()).await.unwrap_err().is_definite());
            assert_eq!(courier.send(&get()).await.unwrap().status, 200);
        };
        futures_util::join!(serves, asks);
    }

    #[tokio::test]
    async fn what_never_left_is_definite() {
        let (listener, mut courier) = listening().await;
        drop(listener);
        assert!(courier.send(&get()).await.unwrap_err().is_definite());
        let injected = HttpRequest { headers: vec![("a".into(), "b\r\nc: d".into())], ..get() };
        assert!(courier.send(&injected).await.unwrap_err().is_definite());
    }
}
