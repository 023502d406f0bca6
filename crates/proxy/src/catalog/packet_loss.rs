use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Attribute, AttributeError, Entry, Value, toxic};
use crate::toxic::{Chunk, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "packet_loss",
    summary: "ours: the stalls that TCP shows where packets are lost, for none of its bytes ever are",
    attributes: &[
        Attribute {
            name: "loss",
            summary: "how likely a segment of up to 1460 bytes is lost, each time it is sent",
            default: Value::Ratio(0.0),
        },
        Attribute {
            name: "rto",
            summary: "how long after it was lost a segment is sent again; twice as long each further time",
            default: Value::Millis(FIRST),
        },
    ],
    make: |given| {
        let (loss, rto) = (given.ratio("loss"), given.duration("rto"));
        if !(0.0..1.0).contains(&loss) {
            let what = "is a probability: from 0 up to, but without, 1";
            return Err(AttributeError::wrong(given.toxic(), "loss", what));
        }
        toxic(PacketLoss { loss, rto })
    },
};

/// What Ethernet carries of a stream in one packet.
const SEGMENT: usize = 1460;
/// Linux waits no less before it sends again, …
const FIRST: Duration = Duration::from_millis(200);
/// … and no longer.
const LONGEST: Duration = Duration::from_secs(120);

/// What packet loss looks like to whoever uses TCP: nothing is missing, but now and then everything stands still.
///
/// No packet is dropped: a proxy has none, only streams. Instead each segment (up to 1460 bytes) is lost with a
/// probability, and then arrives a retransmission timeout later, or that and twice that if lost again, and so on; what
/// comes after it waits for it, as it does in a receiver. Fast retransmission is left out, which needs three more
/// segments to arrive: requests and replies mostly have none, and that is why loss hurts them so.
#[derive(Clone, Copy, Debug)]
pub struct PacketLoss {
    /// How likely a segment is lost, each time that it is sent; less than 1.
    pub loss: f64,
    /// How long until it is sent again, the first time.
    pub rto: Duration,
}

impl Recipe for PacketLoss {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, rng: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(Losing { how: *self, rng })
    }
}

#[derive(Debug)]
struct Losing {
    how: PacketLoss,
    rng: ChaCha8Rng,
}

impl Toxic for Losing {
    fn piece(&mut self, _: &Chunk<'_>) -> usize {
        SEGMENT
    }

    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        let (mut delay, mut wait) = (Duration::ZERO, self.how.rto);
        while delay < LONGEST && self.rng.random_bool(self.how.loss.clamp(0.0, 1.0)) {
            delay = delay.saturating_add(wait);
            wait = wait.saturating_mul(2).clamp(Duration::from_millis(1), LONGEST);
        }
        if delay.is_zero() { Passage::Pass } else { Passage::Delay(delay) }
    }
}
