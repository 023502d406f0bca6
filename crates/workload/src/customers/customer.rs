//! One customer: makes the requests of a booking and writes each down.

use std::sync::Arc;
use std::time::Duration;

use lockproof_http_target::{
    Call, Courier, HttpAnswer, Meaning, RequestPlan, Target as Service, Values, values_of_slot,
};
use lockproof_locks::Wait;
use lockproof_model::{
    AttemptResult, Effect, FencingToken, Instant, Outcome, OwnerValue, Reason, Refusal, RefusedBy,
    Step, in_full,
};

use super::{Customers, Ledger};
use crate::catalog::{FlowEntry, FlowSettings};
use crate::holder::{LEASE_ENDED, Target};
use crate::trade::Worker;
use crate::walk::{Until, Walk};

/// How often a lock is given back that may have been granted, until somebody answers.
const WITHDRAWALS: u32 = 3;
const BETWEEN_WITHDRAWALS: Duration = Duration::from_millis(50);

/// A holder whose steps are requests to a service.
#[derive(Debug)]
pub(crate) struct Customer {
    walk: Walk,
    courier: Box<dyn Courier>,
    service: Arc<Service>,
    /// Of the run.
    values: Values,
    ttl: Duration,
    wait: Wait,
    ledger: Ledger,
    settings: FlowSettings,
    /// The end of the lease that it has.
    valid_until: Option<Instant>,
}

/// What a request came to.
enum Asked {
    Ok,
    Refused,
    /// It certainly was not done.
    Failed(String),
    Unknown(String),
}

impl Asked {
    /// Its outcome, where that is not good.
    fn ended(&self, refusal: Refusal) -> Option<Outcome> {
        match self {
            Self::Ok => None,
            Self::Refused => Some(Outcome::Fail(Reason::Refused(refusal))),
            Self::Failed(error) => Some(Outcome::Fail(Reason::Error(error.clone()))),
            Self::Unknown(error) => Some(Outcome::Info(Reason::Error(error.clone()))),
        }
    }
}

impl Worker for Customer {
    fn walk(&self) -> &Walk {
        &self.walk
    }

    async fn book(&mut self, _flow: &'static FlowEntry, target: Target) -> AttemptResult {
        self.ledger.begins(target, self.walk.id);
        let mut values = self.values_of(target);
        let acquired = match self.service.requests.acquire {
            Some(_) => self.acquire(target, &mut values).await,
            None => Ok(()),
        };
        if let Err(ended) = acquired {
            return ended;
        }
        let result = self.write(target, &mut values).await.unwrap_or_else(|ended| ended);
        self.release(target, &values, &result).await;
        self.valid_until = None;
        result
    }

    /// Whatever it has to do it has done.
    async fn settle(&mut self) {}
}

impl Customer {
    pub(super) fn new(of: &Customers, walk: Walk, settings: FlowSettings) -> Self {
        Self {
            courier: of.couriers.courier(walk.id),
            walk,
            service: Arc::clone(&of.target),
            values: of.values.clone(),
            ttl: of.ttl,
            wait: of.wait,
            ledger: of.ledger.clone(),
            settings,
            valid_until: None,
        }
    }

    /// What the places of its requests are filled with at the beginning of an attempt.
    fn values_of(&self, target: Target) -> Values {
        let mut values = self.values.clone().and(&values_of_slot(target.slot.0));
        let attempt = target.attempt.0;
        values.set("holder", self.walk.id.0.to_string());
        values.set("attempt", attempt.to_string());
        let run = values.get("run").unwrap_or_default();
        let reference = Ledger::reference(run, target.attempt);
        values.set("reference", reference);
        // Of version 4 by its shape, and of this attempt.
        values.set("uuid", format!("00000000-0000-4000-8000-{attempt:012x}"));
        self.draw_owner(&mut values);
        values
    }

    /// Draws an owner value, for a service to which its caller gives one. A new one for each request: used twice, a late
    /// release of the first use would match the second.
    fn draw_owner(&self, values: &mut Values) {
        let owner = OwnerValue::from_bits(self.walk.env.random().wide_bits());
        values.set("owner", owner.as_str());
    }

    /// Takes the slot's lock, waiting for it as the scenario says.
    async fn acquire(&mut self, target: Target, values: &mut Values) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Acquire).await;
        let (mut tried, mut unknown) = (0, None);
        let (requested, asked) = loop {
            tried += 1;
            self.draw_owner(values);
            let requested = self.walk.env.now();
            let asked = self.ask(Call::Acquire, values).await;
            if let Asked::Unknown(error) = &asked {
                self.withdraw(values).await;
                unknown.get_or_insert_with(|| error.clone());
            }
            if matches!(asked, Asked::Ok) || tried >= self.wait.tries {
                break (requested, asked);
            }
            let Wait { delay, jitter, .. } = self.wait;
            self.walk.env.sleep(delay + self.walk.env.random().up_to(jitter)).await;
        };
        // An earlier try that nobody answered may be what holds it: then this is no clear no.
        let asked = match (asked, unknown) {
            (Asked::Refused, Some(error)) => Asked::Unknown(error),
            (asked, _) => asked,
        };
        if let Some(outcome) = asked.ended(Refusal::Held) {
            self.complete(target, Step::Acquire, outcome).await;
            // Without a grant nothing is asked for any more, so of the booking it is certain.
            return Err(ended_before_booking(asked, Refusal::Held));
        }
        let granted = self.granted(values, requested, tried);
        self.complete(target, Step::Acquire, Outcome::Ok(granted)).await;
        Ok(())
    }

    /// What an answer has told of a grant.
    fn granted(&mut self, values: &Values, requested: Instant, tries: u32) -> Effect {
        let told = |name: &str| values.get(name)?.parse().ok();
        let ttl = told("expires_in").map_or(self.ttl, Duration::from_millis);
        let valid_until = requested + ttl;
        self.valid_until = Some(valid_until);
        let owner = values.get("lock_id").or_else(|| values.get("owner")).unwrap_or_default();
        let fencing_token = told("token").map(FencingToken);
        Effect::Granted {
            owner: OwnerValue::new(owner),
            requested,
            valid_until,
            fencing_token,
            tries,
        }
    }

    /// Gives back what may have been granted, where all that this takes is known. No step of its own: it is no part of
    /// the booking, and the next attempt may find the lock held where nobody answers.
    async fn withdraw(&mut self, values: &Values) {
        let Some(release) = self.service.requests.of(Call::Release) else { return };
        if !release.can_be_made(values) {
            return;
        }
        for _ in 0..WITHDRAWALS {
            if !matches!(self.ask(Call::Release, &mut values.clone()).await, Asked::Unknown(_)) {
                return;
            }
            self.walk.env.sleep(BETWEEN_WITHDRAWALS).await;
        }
    }

    /// Everything under the lock; either arm is what came of the attempt.
    async fn write(
        &mut self,
        target: Target,
        values: &mut Values,
    ) -> Result<AttemptResult, AttemptResult> {
        if self.service.requests.check.is_some() {
            self.check(target, values).await?;
        }
        self.invoke(target, Step::Work).await;
        if !self.settings.work.is_zero() {
            self.walk.env.sleep(self.settings.work).await;
        }
        self.complete(target, Step::Work, Outcome::Ok(Effect::Done)).await;
        if self.service.requests.verify.is_some() {
            self.verify(target, values).await?;
        }
        self.commit(target, values).await
    }

    async fn check(&mut self, target: Target, values: &mut Values) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Check).await;
        let asked = self.ask(Call::Check, values).await;
        // A service says whether there is room, not how much was sold.
        let outcome = match &asked {
            Asked::Ok => Outcome::Ok(Effect::Checked { confirmed: 0, free: true }),
            Asked::Refused => Outcome::Ok(Effect::Checked { confirmed: 1, free: false }),
            other => other.ended(Refusal::Taken).unwrap_or(Outcome::Ok(Effect::Done)),
        };
        self.complete(target, Step::Check, outcome).await;
        match asked {
            Asked::Ok => Ok(()),
            Asked::Refused => {
                Err(AttemptResult::Refused { by: RefusedBy::Check, refusal: Refusal::Taken })
            }
            other => Err(ended_before_booking(other, Refusal::Taken)),
        }
    }

    async fn verify(&mut self, target: Target, values: &mut Values) -> Result<(), AttemptResult> {
        self.invoke(target, Step::Verify).await;
        let asked = self.ask(Call::Verify, values).await;
        let now = self.walk.env.now();
        let remaining = self.valid_until.map(|until| until.saturating_since(now));
        let stands = Outcome::Ok(Effect::Verified { remaining: remaining.unwrap_or_default() });
        let outcome = asked.ended(Refusal::LeaseEnded).unwrap_or(stands);
        self.complete(target, Step::Verify, outcome).await;
        match asked {
            Asked::Ok => Ok(()),
            Asked::Refused => Err(LEASE_ENDED),
            other => Err(ended_before_booking(other, Refusal::LeaseEnded)),
        }
    }

    /// Books: in the history a commit, since it is after this that the booking stands.
    async fn commit(
        &mut self,
        target: Target,
        values: &mut Values,
    ) -> Result<AttemptResult, AttemptResult> {
        self.invoke(target, Step::Commit).await;
        let asked = self.ask(Call::Book, values).await;
        if let Some(outcome) = asked.ended(Refusal::Taken) {
            self.complete(target, Step::Commit, outcome).await;
        }
        match asked {
            Asked::Ok => {
                let (booking, is_own) = self.ledger.sold(target, values.get("booking"));
                let effect = if is_own {
                    Effect::Committed { booking }
                } else {
                    Effect::Repeated { booking }
                };
                self.complete(target, Step::Commit, Outcome::Ok(effect)).await;
                if is_own {
                    Ok(AttemptResult::Booked { booking })
                } else {
                    // A request that was made before, by its idempotency key: it stands, and is no booking more.
                    Err(AttemptResult::Refused { by: RefusedBy::Guard, refusal: Refusal::Taken })
                }
            }
            Asked::Refused => {
                Err(AttemptResult::Refused { by: RefusedBy::Guard, refusal: Refusal::Taken })
            }
            Asked::Failed(error) => Err(AttemptResult::Failed { error }),
            Asked::Unknown(error) => Err(AttemptResult::Unknown { error }),
        }
    }

    /// Gives the lock back, unless there is none or the service has done so.
    async fn release(&mut self, target: Target, values: &Values, result: &AttemptResult) {
        let Some(release) = &self.service.requests.release else { return };
        let booked = matches!(result, AttemptResult::Booked { .. });
        if self.valid_until.is_none() || release.unless_booked && booked {
            return;
        }
        self.invoke(target, Step::Release).await;
        let asked = self.ask(Call::Release, &mut values.clone()).await;
        let outcome = match &asked {
            Asked::Ok => Outcome::Ok(Effect::Released { owned: true }),
            Asked::Refused => Outcome::Ok(Effect::Released { owned: false }),
            other => other.ended(Refusal::LeaseEnded).unwrap_or(Outcome::Ok(Effect::Done)),
        };
        self.complete(target, Step::Release, outcome).await;
    }

    /// Makes a request, again where its answer asks for that, and keeps what the scenario wants of a good answer.
    async fn ask(&mut self, call: Call, values: &mut Values) -> Asked {
        let service = Arc::clone(&self.service);
        let Some(plan) = service.requests.of(call) else {
            return Asked::Failed(format!("there is no request `{}`", call.word()));
        };
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = match self.send(call, plan, values).await {
                Ok(answer) => answer,
                Err(asked) => return asked,
            };
            if let Some(again) = plan.again.as_ref().filter(|again| again.asks(&answer, tried)) {
                self.walk.env.sleep(again.delay).await;
                continue;
            }
            let told = || format!("{} was answered with {}", call.word(), shown(&answer));
            return match plan.meaning(&answer) {
                Meaning::Ok => {
                    plan.keep(&answer, values);
                    Asked::Ok
                }
                Meaning::Refused => Asked::Refused,
                Meaning::Failed => Asked::Failed(told()),
                Meaning::Unknown => Asked::Unknown(told()),
            };
        }
    }

    async fn send(
        &mut self,
        call: Call,
        plan: &RequestPlan,
        values: &Values,
    ) -> Result<HttpAnswer, Asked> {
        let request = plan.make(&self.service.headers, values).map_err(|error| {
            Asked::Failed(format!("{} could not be asked: {error}", call.word()))
        })?;
        let (env, limit) = (self.walk.env.clone(), self.service.time_limit);
        let sent = env.timeout(limit, self.courier.send(&request)).await;
        let status = sent.as_ref().ok().and_then(|sent| Some(sent.as_ref().ok()?.status));
        self.ledger.answered(call, status);
        match sent {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.is_definite() => Err(Asked::Failed(in_full(&error))),
            Ok(Err(error)) => Err(Asked::Unknown(in_full(&error))),
            Err(elapsed) => Err(Asked::Unknown(format!("{}: {elapsed}", call.word()))),
        }
    }

    async fn invoke(&mut self, target: Target, step: Step) {
        let until = Until { granted: self.valid_until, kept: None };
        self.walk.invoke(target, step, until).await;
    }

    async fn complete(&mut self, target: Target, step: Step, outcome: Outcome) {
        let until = Until { granted: self.valid_until, kept: None };
        self.walk.complete(target, step, outcome, until).await;
    }
}

/// What an attempt comes to that ends before anything was booked: whatever is not known, it is no booking.
fn ended_before_booking(asked: Asked, refusal: Refusal) -> AttemptResult {
    match asked {
        Asked::Ok | Asked::Refused => AttemptResult::Refused { by: RefusedBy::Lock, refusal },
        Asked::Failed(error) | Asked::Unknown(error) => AttemptResult::Failed { error },
    }
}

/// An answer, as an error tells of it.
fn shown(answer: &HttpAnswer) -> String {
    let body: String = String::from_utf8_lossy(answer.body()).chars().take(200).collect();
    if body.is_empty() { answer.status.to_string() } else { format!("{}: {body}", answer.status) }
}
