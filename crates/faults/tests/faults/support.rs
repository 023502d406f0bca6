//! Faults by name, occurrences by hand, and a fault that notes what is done to it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::{Env, Group};
use lockproof_faults::{
    Argument, Arguments, Choice, Event, Fault, FaultPlan, Healed, Injection, Lasts, Occasion,
    Reach, Trigger, find,
};
use lockproof_model::{AttemptId, HolderId, Instant, LockName, Point, SlotId, Step};
use lockproof_rig::{
    Affliction, Disturbance, Expired, Link, LinkEffect, LinkUse, Rig, RigError, ServerEffect,
};
use lockproof_testkit::{Bench, Subject};
use lockproof_workload::{Occurrence, Seen};

/// The fault of that name with those fields.
pub(crate) fn fault<const N: usize>(name: &str, fields: [(&str, &str); N]) -> Arc<dyn Fault> {
    let fields = fields.map(|(key, value)| (key.to_owned(), Argument::Text(value.to_owned())));
    let mut arguments = Arguments::new(fields);
    let fault = (find(name).expect("the catalog has it").build)(&mut arguments)
        .expect("those fields are fine");
    assert_eq!(arguments.left_over(), None);
    fault
}

/// The same with a field that is a number.
pub(crate) fn number<const N: usize>(
    name: &str,
    fields: [(&str, &str); N],
    (field, number): (&str, f64),
) -> Arc<dyn Fault> {
    let text = |(key, value): (&str, &str)| (key.to_owned(), Argument::Text(value.to_owned()));
    let number = (field.to_owned(), Argument::Float(number));
    let mut arguments = Arguments::new(fields.map(text).into_iter().chain([number]));
    (find(name).expect("the catalog has it").build)(&mut arguments).expect("they are fine")
}

/// `lock` on servers of its own.
pub(crate) async fn bench(lock: &str, links: LinkUse) -> Bench {
    let entry = lockproof_locks::find(lock).expect("the catalog has it");
    Bench::start(
        Subject { entry, draw_tokens: false, adapter: None, database: None },
        "embedded",
        links,
    )
    .await
    .expect("the servers start")
}

pub(crate) const HOLDER: HolderId = HolderId(1);
pub(crate) const OTHER: HolderId = HolderId(2);

/// `holder` at `point` on slot 1, going on.
pub(crate) fn occurrence(holder: HolderId, point: Point) -> Occurrence {
    let answered = point.moment != lockproof_model::Moment::Before;
    Occurrence {
        holder,
        attempt: AttemptId(1),
        slot: SlotId(1),
        lock: LockName::new("seat-1"),
        point,
        at: Instant::ZERO,
        seen: if answered { Seen::GoesOn } else { Seen::Nothing },
        valid_until: None,
    }
}

pub(crate) fn after_check(holder: HolderId) -> Occurrence {
    occurrence(holder, Point::after(Step::Check))
}

pub(crate) fn occasion<'a>(env: &Env, occurrence: Option<&'a Occurrence>) -> Occasion<'a> {
    Occasion { at: env.now(), occurrence, holders: &[] }
}

/// Lets time pass, so that an injection has lasted.
pub(crate) async fn a_moment(env: &Env) {
    env.sleep(Duration::from_millis(5)).await;
}

/// Waits until `holds`, and panics instead of hanging.
pub(crate) async fn until(env: &Env, holds: impl Fn() -> bool + Send + Sync) {
    let wait = async {
        while !holds() {
            env.sleep(Duration::from_millis(1)).await;
        }
    };
    in_time(env, wait).await;
}

/// `future`, or a panic instead of a hang.
pub(crate) async fn in_time<F: Future>(env: &Env, future: F) -> F::Output {
    env.timeout(Duration::from_secs(30), future).await.expect("it does not hang")
}

/// A fault that notes what is done to it.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) counts: Arc<Counts>,
    pub(crate) holds_step: bool,
    pub(crate) lasts: Lasts,
    pub(crate) fails: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    injected: AtomicU32,
    healed: AtomicU32,
    dropped: AtomicU32,
}

impl Counts {
    pub(crate) fn injected(&self) -> u32 {
        self.injected.load(Ordering::SeqCst)
    }

    pub(crate) fn healed(&self) -> u32 {
        self.healed.load(Ordering::SeqCst)
    }

    /// Healed or merely dropped: in effect no more.
    pub(crate) fn ended(&self) -> u32 {
        self.dropped.load(Ordering::SeqCst)
    }
}

impl Noted {
    pub(crate) fn new() -> Self {
        let counts = Arc::default();
        Self { counts, holds_step: false, lasts: Lasts::UntilHealed, fails: false }
    }

    /// The plan of this fault under `trigger`, and what is done to it.
    pub(crate) fn plan(self, trigger: Trigger) -> (FaultPlan, Arc<Counts>) {
        let counts = Arc::clone(&self.counts);
        let fault = Arc::new(self) as Arc<dyn Fault>;
        (FaultPlan { number: 1, kind: "noted", fault, trigger, holders: Vec::new() }, counts)
    }
}

impl Fault for Noted {
    fn label(&self) -> String {
        "noted".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::Holder
    }

    fn lasts(&self) -> Lasts {
        self.lasts
    }

    fn inject<'a>(
        &'a self,
        _rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        if self.fails {
            return std::future::ready(Err(RigError::new("the rig is out of order"))).boxed();
        }
        self.counts.injected.fetch_add(1, Ordering::SeqCst);
        let noted = Standing { counts: Arc::clone(&self.counts), holds_step: self.holds_step };
        std::future::ready(Ok(Box::new(noted) as Box<dyn Injection>)).boxed()
    }
}

#[derive(Debug)]
struct Standing {
    counts: Arc<Counts>,
    holds_step: bool,
}

impl Injection for Standing {
    fn holds_step(&self) -> bool {
        self.holds_step
    }

    fn heal(self: Box<Self>, _now: Instant) -> BoxFuture<'static, Healed> {
        self.counts.healed.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Healed { bit: true, observed: "noted".to_owned() }).boxed()
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// At a step, with nothing that ends it but the end of everything.
pub(crate) fn at(point: Point, choice: Choice) -> Trigger {
    Trigger::AtStep { point, choice, length: None, until: None }
}

/// At each check that found the slot free, until `event`.
pub(crate) fn until_event(event: &str) -> Trigger {
    let until: Event = event.parse().expect("that is an event");
    let point = Point::after(Step::Check);
    Trigger::AtStep { point, choice: Choice::Every(1), length: None, until: Some(until) }
}

/// A rig with two holders and nothing else.
#[derive(Debug, Default)]
pub(crate) struct TwoHolders {
    groups: [Group; 2],
}

impl Rig for TwoHolders {
    fn redis_servers(&self) -> usize {
        0
    }

    fn group(&self, holder: HolderId) -> Option<Group> {
        let index = usize::try_from(holder.0).ok()?.checked_sub(1)?;
        self.groups.get(index).cloned()
    }

    fn holders(&self) -> Vec<HolderId> {
        vec![HOLDER, OTHER]
    }

    fn disturb(
        &self,
        _links: &[Link],
        _holders: &[HolderId],
        _effect: LinkEffect,
    ) -> Result<Box<dyn Disturbance>, RigError> {
        Err(RigError::new("there are no links"))
    }

    fn afflict<'a>(
        &'a self,
        _servers: &'a [Link],
        _effect: ServerEffect,
    ) -> BoxFuture<'a, Result<Box<dyn Affliction>, RigError>> {
        std::future::ready(Err(RigError::new("there are no servers"))).boxed()
    }

    fn end_session(&self, _holder: HolderId) -> BoxFuture<'_, Result<Option<String>, RigError>> {
        std::future::ready(Ok(None)).boxed()
    }

    fn expire_lock<'a>(&'a self, _lock: &'a LockName) -> BoxFuture<'a, Result<Expired, RigError>> {
        std::future::ready(Ok(Expired { held_on: 0, servers: 0 })).boxed()
    }
}
