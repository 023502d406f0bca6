//! A booking service as the system under test.
//!
//! ```text
//!   RequestPlan ── Template + Values ──▶ HttpRequest ──▶ Courier ──▶ the service
//!        │                                                              │
//!        └── Statuses, accept ◀── HttpAnswer: a status and a body ◀─────┘
//!              Ok, Refused, Failed or Unknown, and what is captured for the requests that follow
//! ```
//!
//! What is asked of a service, and what its answers mean, is data: a [`Target`] is read from a scenario, and nothing here
//! or after it knows a service by name.
//!
//! **Architecture invariant:** no request is ever sent twice by itself, and an answer that nobody vouched for is
//! [`Meaning::Unknown`]: a broken connection, a time limit, a status of the server's own fault.

mod base;
mod courier;
mod meaning;
mod pointer;
mod readback;
mod request;
mod slots;
mod target;
mod template;

pub use base::{BaseUrl, BaseUrlError};
pub use courier::{Courier, HttpAnswer, HttpRequest, NoAnswer, TcpCourier};
pub use meaning::{Meaning, ParseStatusError, StatusSet, Statuses};
pub use pointer::{Pointer, PointerError};
pub use readback::{Found, ReadBack, RowsAt, Unreadable};
pub use request::{Again, Expected, METHODS, Release, RequestPlan};
pub use slots::values_of_slot;
pub use target::{Call, Requests, Target};
pub use template::{Filling, Template, TemplateError, Values};
