//! Connections and their limits.
//!
//! What a client may cost is bounded: connections, requests at one time, the time for a header, for a request, and the
//! length of a body. A client that sends its header byte by byte is cut off; one that waits is not waited for.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::answer::Refused;
use crate::app::App;
use crate::routes::router;

/// For requests that are being worked on when the service is stopped.
const GRACE: Duration = Duration::from_secs(30);
/// After an accept that failed for want of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves `app` until `stop` completes, and then what has begun to its end.
///
/// # Errors
/// The listener breaks.
///
/// # Cancel safety
/// Dropped, connections go on without anybody to accept new ones; await it to its end instead.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let limited = middleware::from_fn_with_state(Arc::clone(&app), carry_out);
    let routes = router(Arc::clone(&app)).layer(limited);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(app.config.header_limit);
    let connections = Arc::new(Semaphore::new(app.config.connections_max));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // The client went, or descriptors ran out: neither ends the service.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                app.env.sleep(PAUSE).await;
                continue;
            }
        };
        // One too many is closed at once, which its client sees.
        let Ok(place) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let Ok(()) = stream.set_nodelay(true) else { continue };
        let connection = http.serve_connection(
            TokioIo::<TcpStream>::new(stream),
            TowerToHyperService::new(routes.clone()),
        );
        let connection = graceful.watch(connection);
        drop(app.env.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(place);
        }));
    }
    drop(listener);
    let ended = app.env.timeout(GRACE, graceful.shutdown()).await.is_ok();
    // What was carried out for clients that have gone ends as well.
    let permits = u32::try_from(app.config.requests_max).unwrap_or(u32::MAX);
    let quiet = app.env.timeout(GRACE, app.requests.acquire_many(permits)).await.is_ok();
    if !(ended && quiet) {
        tracing::warn!("stopped with requests that had not ended");
    }
    app.stop();
    Ok(())
}

/// Carries a request out to its end, whether or not its client still listens, and answers within the time limit.
async fn carry_out(State(app): State<Arc<App>>, request: Request<Body>, next: Next) -> Response {
    let started = app.env.now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = match Arc::clone(&app.requests).try_acquire_owned() {
        Err(_) => Refused::overloaded().into_response(),
        Ok(permit) => {
            let task = app.env.spawn(async move {
                let response = next.run(request).await;
                drop(permit);
                response
            });
            match app.env.timeout(app.config.request_limit, task).await {
                Ok(Ok(response)) => response,
                Ok(Err(_)) => internal(),
                Err(_) => timed_out(),
            }
        }
    };
    let (status, took) = (response.status(), app.env.now().saturating_since(started));
    let route = route.as_deref().unwrap_or("none");
    // Neither header nor body: both may hold secrets, and a path that is none of ours may, too.
    tracing::info!(%method, route, status = status.as_u16(), took_us = took.as_micros(), "answered");
    // Anybody can make up a method; a series for each would be without bound.
    let known = route != "none" && status != StatusCode::METHOD_NOT_ALLOWED;
    let method = if !known { "other" } else { method.as_str() };
    app.metrics.answered(method, route, status.as_u16(), took);
    response
}

fn timed_out() -> Response {
    let message = "no answer in time; what was asked for may have happened all the same";
    Refused::with(StatusCode::SERVICE_UNAVAILABLE, "timed_out", message).into_response()
}

/// A bug, by which a handler has ended without an answer.
fn internal() -> Response {
    tracing::error!("a handler has panicked");
    let message = "this is a bug of the service";
    Refused::with(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).into_response()
}
