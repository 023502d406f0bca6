//! Holders that are customers of a booking service: each step is a request of theirs.
//!
//! ```text
//!   Customer ── acquire ─ check ─ work ─ verify ─ book ─ release ──▶ Courier ──▶ the service
//!      │                                          │
//!      │ gate and pen, as of every holder         └─ commit, in the history: what it answers is what the customer knows
//!      ▼
//!   Ledger: which booking is of which attempt, and how many answers of each status there were
//! ```
//!
//! Which of the requests there are, and what their answers mean, a [`Target`] says. The lock and the guard are the
//! service's; of them a customer learns what the answers tell.

mod customer;
mod ledger;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lockproof_env::{Env, Group};
use lockproof_http_target::{Courier, Target, Values};
use lockproof_locks::Wait;
use lockproof_model::{HolderId, Instant};

use self::customer::Customer;
pub use self::ledger::Ledger;
use crate::catalog::FlowSettings;
use crate::gate::StepGate;
use crate::load::{Load, Record, SetUpError, run_trade};
use crate::trade::Trade;
use crate::transcript::Transcript;
use crate::walk::{Pen, Walk};

/// Gives each holder its way to the service.
pub trait Couriers: Debug + Send + Sync {
    /// A way of its own for `holder`, for one life.
    fn courier(&self, holder: HolderId) -> Box<dyn Courier>;
}

/// Who takes part where a service is what is put to the test.
#[derive(Clone, Debug)]
pub struct Customers {
    /// The run's own; holders get forks of it.
    pub env: Env,
    /// What is asked of the service.
    pub target: Arc<Target>,
    /// The ways to it.
    pub couriers: Arc<dyn Couriers>,
    /// What is true of the whole run: `{run}`, `{ttl_ms}` and the target's secrets.
    pub values: Values,
    /// How long a grant lasts, where an answer does not say it.
    pub ttl: Duration,
    /// Waiting for a lock that is held.
    pub wait: Wait,
    /// Where they note what the history has no place for.
    pub ledger: Ledger,
    /// Asked at every step.
    pub gate: Arc<dyn StepGate>,
    /// The holders' groups, by which a rig pauses them; one each.
    pub groups: Vec<Group>,
    /// Raised to end the load early: no new attempt starts.
    pub halt: Arc<AtomicBool>,
}

/// [`run`](crate::run) with customers of a service.
///
/// # Errors
/// None: a customer connects with its first request.
///
/// # Cancel safety
/// Dropping the future stops the customers at their next await; use `halt` to end a load early and keep its history.
pub async fn run_customers<C: Send>(
    customers: &Customers,
    load: &Load,
    cut: impl Future<Output = C> + Send,
    begun: impl FnOnce(Instant, &Transcript) + Send,
) -> Result<(Record, Option<C>), SetUpError> {
    let shared = Customers { groups: Vec::new(), ..customers.clone() };
    run_trade(shared, &customers.groups, load, cut, begun).await
}

impl Trade for Customers {
    type Worker = Customer;

    fn env(&self) -> &Env {
        &self.env
    }

    fn halt(&self) -> &Arc<AtomicBool> {
        &self.halt
    }

    fn take_up(
        &self,
        group: &Group,
        id: HolderId,
        life: u32,
        settings: FlowSettings,
        pen: Pen,
    ) -> impl Future<Output = Result<Customer, SetUpError>> + Send {
        let env = self.env.fork(&format!("{id}, life {life}")).in_group(group);
        let walk = Walk::new(id, env, Arc::clone(&self.gate), pen);
        std::future::ready(Ok(Customer::new(self, walk, settings)))
    }
}
