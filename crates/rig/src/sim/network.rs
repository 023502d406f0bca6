//! Messages on their way, and what happens to them there.

use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use lockproof_env::{Random, Stream};
use lockproof_model::{HolderId, Instant};
use lockproof_sim::{Event, Handle, Shared};

use super::rules::Marked;
use super::ticket::Waits;
use crate::{Deed, Direction, Disturbance, Link, LinkEffect, SpokenRequest};

/// How long a message takes on an undisturbed link: this much …
const BASE: Duration = Duration::from_micros(60);
/// … and up to this much more, drawn for each.
const JITTER: Duration = Duration::from_micros(240);
/// One message in so many is a straggler …
const STRAGGLERS: u64 = 256;
/// … and takes up to this much more.
const STRAGGLE: Duration = Duration::from_millis(4);

/// Every link of a rig.
pub(super) struct Network {
    handle: Handle,
    random: RefCell<Stream>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    effects: Vec<Active>,
    last_effect: u64,
    wires: Vec<Weak<Wire>>,
    last_wire: u64,
}

/// A disturbance in force.
struct Active {
    id: u64,
    links: Vec<Link>,
    holders: Vec<HolderId>,
    effect: LinkEffect,
    /// Messages that met it.
    met: u32,
    held: Vec<Message>,
    /// Which messages its rule is about, where it is one.
    marked: Marked,
}

struct Message {
    wire: Rc<Wire>,
    direction: Direction,
    arrival: Rc<dyn Event>,
}

/// One connection: messages of one direction arrive in the order in which they were sent.
pub(super) struct Wire {
    pub(super) id: u64,
    pub(super) link: Link,
    holder: HolderId,
    closed: Cell<bool>,
    /// When the last message of each direction arrives.
    last: [Cell<u64>; 2],
    /// Who waits for an answer over it. What nobody else holds is not waited for any more.
    waiting: RefCell<Vec<Weak<dyn Waits>>>,
}

impl Wire {
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// From now on `ticket` is told when the connection ends.
    pub(super) fn wait(&self, ticket: Weak<dyn Waits>) {
        self.waiting().push(ticket);
    }

    /// `ticket` has its answer.
    pub(super) fn done(&self, ticket: &impl Waits) {
        let mut waiting = self.waiting();
        let place = waiting.iter().position(|known| std::ptr::addr_eq(known.as_ptr(), ticket));
        if let Some(place) = place {
            waiting.remove(place);
        }
    }

    /// How many answers are to come over it.
    pub(super) fn awaited(&self) -> usize {
        self.waiting.borrow().iter().filter(|waiting| waiting.strong_count() > 0).count()
    }

    fn waiting(&self) -> RefMut<'_, Vec<Weak<dyn Waits>>> {
        self.waiting.borrow_mut()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, link, holder, .. } = self;
        f.debug_struct("Wire")
            .field("id", id)
            .field("link", link)
            .field("holder", holder)
            .finish_non_exhaustive()
    }
}

impl Network {
    pub(super) fn new(handle: Handle, random: &Random) -> Shared<Self> {
        let random = RefCell::new(random.stream());
        Shared::new(Self { handle, random, state: RefCell::default() })
    }

    /// The time there.
    pub(super) fn now(&self) -> Instant {
        self.handle.now()
    }

    /// A new connection of `holder`.
    pub(super) fn open(&self, link: Link, holder: HolderId) -> Shared<Wire> {
        let mut state = self.state();
        state.last_wire += 1;
        let wire = Shared::new(Wire {
            id: state.last_wire,
            link,
            holder,
            closed: Cell::new(false),
            last: Default::default(),
            waiting: RefCell::default(),
        });
        state.wires.push(Rc::downgrade(wire.as_rc()));
        wire
    }

    /// Sends a message.
    pub(super) fn send(&self, wire: &Rc<Wire>, direction: Direction, arrival: Rc<dyn Event>) {
        if !wire.is_closed() {
            self.route(wire, direction, arrival);
        }
    }

    /// As [`send`](Self::send), for what had left before the connection was closed.
    fn route(&self, wire: &Rc<Wire>, direction: Direction, arrival: Rc<dyn Event>) {
        let mut delay = self.delay();
        let mut state = self.state();
        if !state.effects.is_empty() {
            for active in &mut state.effects {
                if !active.meets(wire, direction) {
                    continue;
                }
                active.met += 1;
                match active.fate() {
                    Fate::Passes => {}
                    Fate::Late { by, jitter } => {
                        delay +=
                            by.saturating_sub(jitter) + self.random.borrow_mut().up_to(jitter * 2);
                    }
                    Fate::Held => {
                        let wire = Rc::clone(wire);
                        active.held.push(Message { wire, direction, arrival });
                        return;
                    }
                    Fate::Lost => {
                        drop(state);
                        self.break_after(delay, wire);
                        return;
                    }
                }
            }
        }
        drop(state);
        let last = &wire.last[usize::from(direction == Direction::ToClient)];
        let at = (self.handle.now().as_nanos() + nanos(delay)).max(last.get() + 1);
        last.set(at);
        self.handle.at(Instant::from_nanos(at), arrival);
    }

    /// Sends the end of a connection, which arrives after everything that was sent before it; over a broken one too,
    /// since a server finds out by itself.
    pub(super) fn send_end(&self, wire: &Rc<Wire>, arrival: Rc<dyn Event>) {
        if wire.closed.replace(true) {
            self.handle.at(self.handle.now() + self.delay(), arrival);
        } else {
            self.route(wire, Direction::ToServer, arrival);
        }
    }

    /// Does `what` at a server a while from now.
    pub(super) fn after(&self, delay: Duration, what: impl FnOnce() + 'static) {
        self.handle.after(delay, what);
    }

    /// Ends a connection; who waits on it learns so a moment later.
    pub(super) fn break_off(&self, wire: &Rc<Wire>) {
        self.break_after(self.delay(), wire);
    }

    /// Ends every connection to `link`.
    pub(super) fn break_all(&self, link: Link) {
        self.matching(&[link], &[]).iter().for_each(|wire| self.break_off(wire));
    }

    /// Disturbs `links` of `holders` (all, where there are none) until healed.
    pub(super) fn disturb(
        network: &Shared<Self>,
        links: &[Link],
        holders: &[HolderId],
        effect: LinkEffect,
    ) -> Disturbed {
        let mut met = 0;
        if effect == LinkEffect::Reset {
            for wire in network.matching(links, holders) {
                met += 1;
                network.break_off(&wire);
            }
        }
        let (links, holders) = (links.to_vec(), holders.to_vec());
        let mut state = network.state();
        state.last_effect += 1;
        let id = state.last_effect;
        let (held, marked) = (Vec::new(), Marked::default());
        state.effects.push(Active { id, links, holders, effect, met, held, marked });
        Disturbed { network: network.clone(), id: Some(id) }
    }

    /// Whether requests have to be announced.
    pub(super) fn has_rules(&self) -> bool {
        let state = self.state.borrow();
        state.effects.iter().any(|active| matches!(active.effect, LinkEffect::Rule(_)))
    }

    /// A request is about to be sent over `wire`, and so many replies come before its own.
    pub(super) fn announce(&self, wire: &Wire, ahead: usize, request: SpokenRequest<'_>) {
        for active in &mut self.state().effects {
            if let LinkEffect::Rule(rule) = &active.effect
                && reaches(&active.links, &active.holders, wire)
            {
                let draw = || {
                    let bits = self.random.borrow_mut().bits() >> 32;
                    f64::from(u32::try_from(bits).unwrap_or_default()) / f64::from(u32::MAX)
                };
                active.marked.announce(rule, wire.id, ahead, request, draw);
            }
        }
    }

    fn matching(&self, links: &[Link], holders: &[HolderId]) -> Vec<Rc<Wire>> {
        let mut state = self.state();
        state.wires.retain(|wire| wire.strong_count() > 0);
        let wires = state.wires.iter().filter_map(Weak::upgrade);
        wires
            .filter(|wire| links.contains(&wire.link) && !wire.is_closed())
            .filter(|wire| holders.is_empty() || holders.contains(&wire.holder))
            .collect()
    }

    fn break_after(&self, delay: Duration, wire: &Rc<Wire>) {
        wire.closed.set(true);
        let wire = Rc::clone(wire);
        let tell = move || {
            let waiting = std::mem::take(&mut *wire.waiting());
            waiting.iter().filter_map(Weak::upgrade).for_each(|ticket| ticket.broken());
        };
        self.handle.after(delay, tell);
    }

    fn delay(&self) -> Duration {
        let mut random = self.random.borrow_mut();
        let bits = random.bits();
        let jitter = ((bits >> 32) * nanos(JITTER)) >> 32;
        let delay = BASE + Duration::from_nanos(jitter);
        if bits.is_multiple_of(STRAGGLERS) { delay + random.up_to(STRAGGLE) } else { delay }
    }

    fn heal(&self, id: u64) -> Option<Active> {
        let mut state = self.state();
        let place = state.effects.iter().position(|active| active.id == id)?;
        let mut active = state.effects.remove(place);
        let held = std::mem::take(&mut active.held);
        drop(state);
        for Message { wire, direction, arrival } in held {
            self.route(&wire, direction, arrival);
        }
        Some(active)
    }

    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

/// What becomes of a message that met a disturbance.
enum Fate {
    Passes,
    Late { by: Duration, jitter: Duration },
    Held,
    Lost,
}

impl Active {
    fn meets(&mut self, wire: &Wire, direction: Direction) -> bool {
        let way = match self.effect {
            LinkEffect::Delay { .. } | LinkEffect::Hold => true,
            LinkEffect::HoldOneWay(way) => way == direction,
            // One message, not more.
            LinkEffect::Lose(way) => way == direction && self.met == 0,
            LinkEffect::Reset => false,
            LinkEffect::Rule(_) => return self.marked.takes(wire.id, direction),
        };
        way && reaches(&self.links, &self.holders, wire)
    }

    const fn fate(&self) -> Fate {
        match &self.effect {
            LinkEffect::Delay { by, jitter } => Fate::Late { by: *by, jitter: *jitter },
            LinkEffect::Hold | LinkEffect::HoldOneWay(_) => Fate::Held,
            LinkEffect::Lose(_) => Fate::Lost,
            LinkEffect::Reset => Fate::Passes,
            LinkEffect::Rule(rule) => match rule.deed {
                Deed::Delay(by) | Deed::DelayReply(by) => Fate::Late { by, jitter: Duration::ZERO },
                Deed::Hold | Deed::HoldReply => Fate::Held,
                Deed::DropRequest | Deed::DropReply | Deed::Reset => Fate::Lost,
                // A message is one; scenarios that ask for two of it run live.
                Deed::Duplicate => Fate::Passes,
            },
        }
    }
}

fn reaches(links: &[Link], holders: &[HolderId], wire: &Wire) -> bool {
    links.contains(&wire.link) && (holders.is_empty() || holders.contains(&wire.holder))
}

/// An effect in force.
#[derive(Debug)]
pub(super) struct Disturbed {
    network: Shared<Network>,
    id: Option<u64>,
}

impl Disturbance for Disturbed {
    fn heal(mut self: Box<Self>) -> Option<String> {
        let active = self.network.heal(self.id.take()?)?;
        let met = active.met;
        (met > 0).then(|| match &active.effect {
            LinkEffect::Delay { .. } => format!("{met} messages delayed"),
            LinkEffect::Hold | LinkEffect::HoldOneWay(_) => format!("{met} messages held"),
            LinkEffect::Lose(Direction::ToServer) => "a request lost".to_owned(),
            LinkEffect::Lose(Direction::ToClient) => {
                "a reply lost, its request carried out".to_owned()
            }
            LinkEffect::Reset => format!("{met} connections reset"),
            LinkEffect::Rule(rule) => rule.told(met.into()),
        })
    }
}

impl Drop for Disturbed {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            drop(self.network.heal(id));
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
