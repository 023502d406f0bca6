//! Rules about single requests, where messages are no bytes: who sends a request says so first.

use crate::{Direction, LinkRule, SpokenRequest};

/// What a disturbance knows of the requests that its rule means.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// How many there were.
    seen: u64,
    messages: Vec<Message>,
}

/// A message to come that something happens to.
#[derive(Debug)]
struct Message {
    wire: u64,
    direction: Direction,
    /// How many others come before it.
    ahead: usize,
}

impl Marked {
    /// A request is about to be sent, and so many replies come before its own.
    pub(super) fn announce(
        &mut self,
        rule: &LinkRule,
        wire: u64,
        ahead: usize,
        request: SpokenRequest<'_>,
        draw: impl FnOnce() -> f64,
    ) {
        if !rule.pattern.means(request) {
            return;
        }
        self.seen += 1;
        if rule.choice.chooses(self.seen, draw) {
            let direction = rule.direction();
            let ahead = if direction == Direction::ToServer { 0 } else { ahead };
            self.messages.push(Message { wire, direction, ahead });
        }
    }

    /// Whether this message is one.
    pub(super) fn takes(&mut self, wire: u64, direction: Direction) -> bool {
        let mut taken = false;
        self.messages.retain_mut(|message| {
            if (message.wire, message.direction) != (wire, direction) {
                return true;
            }
            let is_this = message.ahead == 0;
            taken |= is_this;
            message.ahead = message.ahead.saturating_sub(1);
            !is_this
        });
        taken
    }
}
