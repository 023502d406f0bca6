//! One message lost, in either direction.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Moment, Point};
use lockproof_rig::{Direction, LinkEffect, LinkSelector, Rig, RigError};

use crate::links::{Disturbed, Whose, disturb, names};
use crate::{Fault, Injection, Lasts, Occasion, Reach};

/// The next message of one direction is lost.
#[derive(Debug)]
pub(crate) struct Lose {
    pub(crate) name: &'static str,
    pub(crate) links: Vec<LinkSelector>,
    pub(crate) direction: Direction,
}

impl Fault for Lose {
    fn label(&self) -> String {
        format!("{} {}", self.name, names(&self.links))
    }

    fn reach(&self) -> Reach {
        Reach::Links(self.links.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn tells_holders_apart(&self) -> bool {
        true
    }

    fn injected_at(&self, point: Point) -> Point {
        match (self.direction, point.moment) {
            // When the holder comes to that point the answer is there.
            (Direction::ToClient, Moment::Answer) => Point::before(point.step),
            _ => point,
        }
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let effect = LinkEffect::Lose(self.direction);
        // Somebody else's message would be another story than that of the step.
        let disturbed = disturb(rig, occasion, &self.links, effect, Whose::OfTheHolder);
        let injection = disturbed.map(|disturbance| {
            let lost = Disturbed { disturbance, verb: "", nothing: "no message came to be lost" };
            Box::new(lost) as Box<dyn Injection>
        });
        std::future::ready(injection).boxed()
    }
}
