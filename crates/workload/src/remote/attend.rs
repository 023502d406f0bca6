//! The holder's side: what runs in its process.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{HolderId, Point, in_full};

use super::{Answer, HolderEnd, Word};
use crate::catalog::{FlowEntry, FlowSettings};
use crate::gate::{Occurrence, StepGate};
use crate::holder::Holder;
use crate::life::{PAUSE, attempt, connect};
use crate::load::Parties;
use crate::walk::Pen;

/// Who a process is to be.
#[derive(Clone, Debug)]
pub struct Post {
    /// Which holder.
    pub holder: HolderId,
    /// For the how-manieth time; from the second on it tries to connect until it can.
    pub life: u32,
    /// The order of steps of one booking.
    pub flow: &'static FlowEntry,
    /// What the flow is told.
    pub settings: FlowSettings,
    /// Where it has to ask for leave.
    pub concerns: Vec<Point>,
}

/// Is a holder until its seat has no attempt left, or until it cannot connect, of which the seat is told. The gate is
/// the seat's: that of `parties` is not asked, and neither is its halt.
///
/// # Cancel safety
/// Dropped, the holder is stopped at its next await.
pub async fn attend(parties: Parties, post: Post, end: Arc<dyn HolderEnd>) {
    let gate = RemoteGate { end: Arc::clone(&end), concerns: post.concerns.clone() };
    let parties = Parties { gate: Arc::new(gate), ..parties };
    let Some(mut holder) = stand_up(&parties, &post, &end).await else { return };
    end.say(&Word::Ready);
    loop {
        end.say(&Word::Next);
        let Answer::Attempt { target, intended } = end.hear().await else { break };
        attempt(&mut holder, post.flow, target, intended).await;
    }
    holder.driver.settle().await;
}

/// Connects. In a first life a failure is the run's to know; in a later one a server may be down for a while.
async fn stand_up(parties: &Parties, post: &Post, end: &Arc<dyn HolderEnd>) -> Option<Holder> {
    let group = parties.env.group();
    loop {
        let pen = Pen::Remote(Arc::clone(end));
        match connect(parties, group, post.holder, post.life, post.settings, pen).await {
            Ok(holder) => return Some(holder),
            Err(error) if post.life == 1 => {
                end.say(&Word::Failed(in_full(&error)));
                return None;
            }
            Err(error) => {
                tracing::debug!(error = in_full(&error), "started again, not yet connected");
                parties.env.sleep(PAUSE).await;
            }
        }
    }
}

/// Asks for leave where it has to.
#[derive(Debug)]
struct RemoteGate {
    end: Arc<dyn HolderEnd>,
    concerns: Vec<Point>,
}

impl StepGate for RemoteGate {
    fn concerns(&self, point: Point) -> bool {
        self.concerns.contains(&point)
    }

    fn pass<'a>(&'a self, occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>> {
        let wait = async {
            self.end.say(&Word::At(occurrence.clone()));
            // It had one question open, so this answers it.
            let _leave = self.end.hear().await;
        };
        Some(wait.boxed())
    }
}
