//! A service: what it is asked, in which order, and where its bookings are.

use std::time::Duration;

use lockproof_model::Step;

use crate::readback::ReadBack;
use crate::request::{Release, RequestPlan};
use crate::template::{Template, Values};

/// A booking service as a scenario describes it. Where it is comes later: it may not have been started.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Of every request.
    pub headers: Vec<(String, Template)>,
    /// How long to wait for each answer.
    pub time_limit: Duration,
    /// What a booking consists of.
    pub requests: Requests,
    /// Where its bookings are read.
    pub bookings: ReadBack,
    /// Values that come from the environment of this program, and may be secret.
    pub secrets: Values,
}

/// The requests of one booking, in their order; only one of them must be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    /// Takes the slot's lock.
    pub acquire: Option<RequestPlan>,
    /// Asks whether the slot is free.
    pub check: Option<RequestPlan>,
    /// Asks whether the lock still stands.
    pub verify: Option<RequestPlan>,
    /// Books.
    pub book: RequestPlan,
    /// Gives the lock back.
    pub release: Option<Release>,
}

/// Which of a booking's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// [`Requests::acquire`].
    Acquire,
    /// [`Requests::check`].
    Check,
    /// [`Requests::verify`].
    Verify,
    /// [`Requests::book`].
    Book,
    /// [`Requests::release`].
    Release,
}

impl Call {
    /// Every one, in the order of a booking.
    pub const ALL: [Self; 5] =
        [Self::Acquire, Self::Check, Self::Verify, Self::Book, Self::Release];

    /// As scenarios spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Check => "check",
            Self::Verify => "verify",
            Self::Book => "book",
            Self::Release => "release",
        }
    }

    /// The step that it is in a history, at which faults may come.
    #[must_use]
    pub const fn step(self) -> Step {
        match self {
            Self::Acquire => Step::Acquire,
            Self::Check => Step::Check,
            Self::Verify => Step::Verify,
            Self::Book => Step::Commit,
            Self::Release => Step::Release,
        }
    }
}

impl Requests {
    /// The request of that name, where there is one.
    #[must_use]
    pub fn of(&self, call: Call) -> Option<&RequestPlan> {
        match call {
            Call::Acquire => self.acquire.as_ref(),
            Call::Check => self.check.as_ref(),
            Call::Verify => self.verify.as_ref(),
            Call::Book => Some(&self.book),
            Call::Release => self.release.as_ref().map(|release| &release.request),
        }
    }

    /// The steps that a booking takes, in order: what the customer does between its check and its booking is one, too.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let made = |call: Call| self.of(call).is_some().then_some(call.step());
        let [acquire, check, verify, book, release] = Call::ALL.map(made);
        [acquire, check, Some(Step::Work), verify, book, release].into_iter().flatten().collect()
    }
}
