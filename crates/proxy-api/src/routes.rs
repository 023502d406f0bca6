//! The paths of the API, and what is answered on each.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use crate::body::Body;
use crate::named::ProxyConfig;
use crate::toxic::NamedToxic;
use crate::{ApiError, Fleet};

/// Whose API it is, by Toxiproxy's count, and after the plus sign ours.
pub const API_VERSION: &str = concat!("2.12.0+lockproof.", env!("CARGO_PKG_VERSION"));

type Answer = Result<Response, ApiError>;
type Proxies = State<Arc<Fleet>>;

/// Serves the API of `fleet` until it is dropped.
///
/// # Errors
///
/// When the listener breaks.
pub async fn serve(listener: TcpListener, fleet: Arc<Fleet>) -> io::Result<()> {
    axum::serve(listener, router(fleet)).await
}

fn router(fleet: Arc<Fleet>) -> Router {
    let toxic = get(show_toxic).post(change_toxic).patch(change_toxic).delete(remove_toxic);
    Router::new()
        .route("/version", get(version))
        .route("/reset", post(reset))
        .route("/populate", post(populate))
        .route("/proxies", get(list).post(create))
        .route("/proxies/{proxy}", get(show).post(change).patch(change).delete(remove))
        .route("/proxies/{proxy}/toxics", get(list_toxics).post(add_toxic))
        .route("/proxies/{proxy}/toxics/{toxic}", toxic)
        .layer(middleware::from_fn(no_browsers))
        .with_state(fleet)
}

/// A page that somebody has open is not to command proxies.
async fn no_browsers(request: Request, next: Next) -> Response {
    let agent = request.headers().get(header::USER_AGENT);
    if agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/")) {
        return (StatusCode::FORBIDDEN, "User agent not allowed\n").into_response();
    }
    next.run(request).await
}

fn ok(json: &Json) -> Response {
    answered(StatusCode::OK, json)
}

fn answered(status: StatusCode, json: &Json) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

async fn version() -> Response {
    ok(&json!({ "version": API_VERSION }))
}

async fn reset(State(fleet): Proxies) -> Answer {
    fleet.reset().await?;
    Ok(done())
}

async fn populate(State(fleet): Proxies, body: Bytes) -> Response {
    let configs = Body::read_all(&body).and_then(|bodies| {
        let read = |(place, body)| ProxyConfig::read(body, &format!(" at proxy {}", place + 1));
        bodies.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()
    });
    let (made, error) = match configs {
        Ok(configs) => fleet.populate(configs).await,
        Err(error) => (Vec::new(), Some(error)),
    };
    let status = error.as_ref().map_or(StatusCode::CREATED, ApiError::status);
    let mut members = error.as_ref().map(ApiError::members).unwrap_or_default();
    members.insert("proxies".to_owned(), made.into());
    answered(status, &Json::Object(members))
}

async fn list(State(fleet): Proxies) -> Response {
    ok(&fleet.json().await)
}

async fn create(State(fleet): Proxies, body: Bytes) -> Answer {
    let config = ProxyConfig::read(&Body::read(&body)?, "")?;
    Ok(answered(StatusCode::CREATED, &fleet.add(config).await?))
}

async fn show(State(fleet): Proxies, Path(proxy): Path<String>) -> Answer {
    Ok(ok(&fleet.with(&proxy, |proxy| Ok(proxy.json())).await?))
}

async fn change(State(fleet): Proxies, Path(proxy): Path<String>, body: Bytes) -> Answer {
    fleet.with(&proxy, |_| Ok(())).await?; // of a proxy that is not there the body does not matter
    Ok(ok(&fleet.change(&proxy, &Body::read(&body)?).await?))
}

async fn remove(State(fleet): Proxies, Path(proxy): Path<String>) -> Answer {
    fleet.remove(&proxy).await?;
    Ok(done())
}

async fn list_toxics(State(fleet): Proxies, Path(proxy): Path<String>) -> Answer {
    Ok(ok(&fleet.with(&proxy, |proxy| Ok(proxy.toxics_json())).await?))
}

async fn add_toxic(State(fleet): Proxies, Path(proxy): Path<String>, body: Bytes) -> Answer {
    let json = fleet.with(&proxy, |proxy| {
        let toxic = NamedToxic::read(&Body::read(&body)?)?;
        proxy.add_toxic(toxic).map(NamedToxic::json)
    });
    Ok(ok(&json.await?))
}

async fn show_toxic(State(fleet): Proxies, Path((proxy, toxic)): Path<(String, String)>) -> Answer {
    Ok(ok(&fleet.with(&proxy, |proxy| Ok(proxy.toxic(&toxic)?.json())).await?))
}

async fn change_toxic(
    State(fleet): Proxies,
    Path((proxy, toxic)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let json = fleet.with(&proxy, |proxy| {
        proxy.toxic(&toxic)?;
        proxy.change_toxic(&toxic, &Body::read(&body)?).map(NamedToxic::json)
    });
    Ok(ok(&json.await?))
}

async fn remove_toxic(
    State(fleet): Proxies,
    Path((proxy, toxic)): Path<(String, String)>,
) -> Answer {
    fleet.with(&proxy, |proxy| proxy.remove_toxic(&toxic)).await?;
    Ok(done())
}
