//! Whether the operations on each lock can be put in an order that the model allows.
//!
//! Each operation has to take effect at one instant between its invocation and its answer. The search is that of Wing
//! and Gong ("Testing and Verifying Concurrent Objects", 1993) with Lowe's cache ("Testing for Linearizability", 2017):
//! a linked list of invocations and answers; whatever may come next is tried and lifted out of it; where an answer is
//! met whose operation has not taken effect, the last one is put back. What has been tried before, the same operations
//! and the same state, is not tried again. An operation of which nobody knows has no answer, and may take effect or not: these are in a list
//! of their own, and are tried where nothing else leads on.
//!
//! An operation on one lock says nothing of another, so that each is searched by itself.

use hashbrown::HashSet;

use crate::model::State;
use crate::{Action, LockHistory, LockOperation, Model, Refusal, overlap};

/// When a search is given up.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// When the situations that are kept take about so many bytes.
    pub memory: usize,
    /// When this says so, asked every few thousand steps.
    pub is_over: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("memory", &self.memory).finish_non_exhaustive()
    }
}

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Every lock's operations have an order.
    Valid,
    /// Those of one have none.
    Violated(Stuck),
    /// It was given up on this lock, by its place.
    Unknown(u32),
}

/// Where the longest order ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Which lock, by its place.
    pub lock: u32,
    /// How many of its answered operations the longest order has; nothing where two holds overlap, which needs no search.
    pub ordered: Option<usize>,
    /// How many there are.
    pub of: usize,
    /// The operation that has to come next and cannot.
    pub next: LockOperation,
    /// Why it cannot, there.
    pub why: Refusal,
    /// By which acquire the lock is held there, if it is.
    pub holder: Option<LockOperation>,
}

/// Searches an order of each lock's operations.
#[must_use]
pub fn search(history: &LockHistory, model: Model, limits: Limits<'_>) -> Answer {
    let mut by_lock = history.operations.clone();
    by_lock.sort_by_key(|operation| (operation.lock, operation.invoked));
    let mut given_up = None;
    for operations in by_lock.chunk_by(|a, b| a.lock == b.lock) {
        match of_lock(operations, model, limits) {
            Answer::Valid => {}
            violated @ Answer::Violated(_) => return violated,
            Answer::Unknown(lock) => given_up = given_up.or(Some(lock)),
        }
    }
    given_up.map_or(Answer::Valid, Answer::Unknown)
}

fn of_lock(operations: &[LockOperation], model: Model, limits: Limits<'_>) -> Answer {
    let of = operations.iter().filter(|operation| operation.completed.is_some()).count();
    if let Some([holder, next]) = overlap::first(operations) {
        let (next, holder) = (operations[next], Some(operations[holder]));
        let (lock, why) = (next.lock, Refusal::Held);
        return Answer::Violated(Stuck { lock, ordered: None, of, next, why, holder });
    }
    Search::new(operations, model).run(limits)
}

const NONE: usize = usize::MAX;
/// The heads of the two lists: of invocations and answers, and of invocations that have no answer.
const ANSWERED: usize = 0;
const UNANSWERED: usize = 1;

/// An invocation or an answer in the linked list.
#[derive(Clone, Copy, Debug)]
struct Node {
    operation: usize,
    /// Of an invocation, its answer's node; [`NONE`] where nobody knows.
    answer: usize,
    is_answer: bool,
    before: usize,
    after: usize,
}

/// A situation that was met: which operations have taken effect, and what the lock was in.
///
/// Of the answered ones, all before the first that has not; of the next 128 those in `near`; and in `far` what is beyond,
/// and those without an answer.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Situation {
    first: usize,
    near: u128,
    far: Box<[u64]>,
    state: State,
}

/// An invocation that has taken effect, and where the search was before it had.
#[derive(Clone, Copy, Debug)]
struct Taken {
    node: usize,
    state: State,
    /// The answer that nothing else led to; [`NONE`] where that was not known yet.
    wall: usize,
}

struct Search<'a> {
    operations: &'a [LockOperation],
    model: Model,
    /// Two heads, which are neither, and what happened in the order of time.
    nodes: Vec<Node>,
    /// The place of each operation among the answered ones, or among the others.
    ranks: Vec<usize>,
    answered: usize,
    /// Which of the answered have taken effect, how many, and the first that has not.
    done: Vec<u64>,
    ordered: usize,
    first: usize,
    /// Which of the others.
    taken: Vec<u64>,
    taken_count: usize,
    state: State,
    /// What has taken effect, in this order.
    path: Vec<Taken>,
    met: HashSet<Situation>,
    /// What they take, in bytes.
    kept: usize,
}

impl<'a> Search<'a> {
    fn new(operations: &'a [LockOperation], model: Model) -> Self {
        let mut events = Vec::with_capacity(operations.len() * 2);
        let mut ranks = Vec::with_capacity(operations.len());
        let (mut answered, mut others) = (0, 0);
        for (place, operation) in operations.iter().enumerate() {
            // Intervals are closed: at one instant invocations come first.
            events.push((operation.invoked, false, place));
            let rank = match operation.completed {
                Some(completed) => {
                    events.push((completed, true, place));
                    &mut answered
                }
                None => &mut others,
            };
            ranks.push(*rank);
            *rank += 1;
        }
        events.sort_unstable();
        let head = Node { operation: 0, answer: NONE, is_answer: false, before: NONE, after: NONE };
        let mut nodes = vec![head; 2];
        let mut ends = [ANSWERED, UNANSWERED];
        let mut invocations = vec![NONE; operations.len()];
        for (_, is_answer, operation) in events {
            let place = nodes.len();
            if is_answer {
                let invocation: usize = invocations[operation];
                nodes[invocation].answer = place;
            } else {
                invocations[operation] = place;
            }
            let list = usize::from(operations[operation].completed.is_none());
            let before = std::mem::replace(&mut ends[list], place);
            nodes[before].after = place;
            nodes.push(Node { operation, answer: NONE, is_answer, before, after: NONE });
        }
        Self {
            operations,
            model,
            nodes,
            ranks,
            answered,
            done: vec![0; answered / 64 + 1],
            ordered: 0,
            first: 0,
            taken: vec![0; others / 64 + 1],
            taken_count: 0,
            state: State::default(),
            path: Vec::with_capacity(operations.len()),
            met: HashSet::new(),
            kept: 0,
        }
    }

    fn run(mut self, limits: Limits<'_>) -> Answer {
        let lock = self.operations.first().map_or(0, |operation| operation.lock);
        let mut longest: Option<Stuck> = None;
        let (mut node, mut wall) = (self.nodes[ANSWERED].after, NONE);
        let mut steps = 0_u32;
        while self.ordered < self.answered {
            steps = steps.wrapping_add(1);
            let is_time = steps.is_multiple_of(4096) && (limits.is_over)();
            if is_time || self.kept > limits.memory {
                return Answer::Unknown(lock);
            }
            if wall == NONE && self.nodes[node].is_answer {
                let operation = self.nodes[node].operation;
                // As far as none has come, no model lets this one be next: had it been, that one had come further.
                if longest.as_ref().is_none_or(|stuck| Some(self.ordered) > stuck.ordered)
                    && let Err(why) = self.model.step(self.state, &self.operations[operation])
                {
                    longest = Some(self.stuck(operation, why));
                }
                (node, wall) = (self.nodes[UNANSWERED].after, node);
            }
            // Nodes are in the order of time, and nothing takes effect before its invocation.
            if node < wall {
                (node, wall) = if self.takes_effect(node, wall) {
                    (self.nodes[ANSWERED].after, NONE)
                } else {
                    (self.nodes[node].after, wall)
                };
                continue;
            }
            let Some(last) = self.path.pop() else {
                return longest.map_or(Answer::Valid, Answer::Violated);
            };
            self.state = last.state;
            self.put_back(last.node);
            (node, wall) = (self.nodes[last.node].after, last.wall);
        }
        Answer::Valid
    }

    /// Lets the operation of an invocation take effect next, where the model allows it and it leads to something new.
    fn takes_effect(&mut self, node: usize, wall: usize) -> bool {
        let operation = self.nodes[node].operation;
        let before = self.state;
        let Ok(state) = self.model.step(before, &self.operations[operation]) else {
            return false;
        };
        self.mark(operation);
        self.state = state;
        let situation = self.situation();
        let size = size_of::<Situation>() + size_of_val(&*situation.far);
        if !self.met.insert(situation) {
            self.state = before;
            self.unmark(operation);
            return false;
        }
        self.kept += size;
        self.path.push(Taken { node, state: before, wall });
        self.unlink(node);
        if self.nodes[node].answer != NONE {
            self.unlink(self.nodes[node].answer);
        }
        true
    }

    fn put_back(&mut self, node: usize) {
        // In the inverse order, so that each neighbour is there again.
        if self.nodes[node].answer != NONE {
            self.link(self.nodes[node].answer);
        }
        self.link(node);
        self.unmark(self.nodes[node].operation);
    }

    fn unlink(&mut self, node: usize) {
        let Node { before, after, .. } = self.nodes[node];
        self.nodes[before].after = after;
        if after != NONE {
            self.nodes[after].before = before;
        }
    }

    fn link(&mut self, node: usize) {
        let Node { before, after, .. } = self.nodes[node];
        self.nodes[before].after = node;
        if after != NONE {
            self.nodes[after].before = node;
        }
    }

    fn mark(&mut self, operation: usize) {
        let rank = self.ranks[operation];
        if self.operations[operation].completed.is_none() {
            self.taken[rank / 64] |= 1 << (rank % 64);
            self.taken_count += 1;
            return;
        }
        self.done[rank / 64] |= 1 << (rank % 64);
        self.ordered += 1;
        while self.first < self.answered && self.done[self.first / 64] >> (self.first % 64) & 1 == 1
        {
            self.first += 1;
        }
    }

    fn unmark(&mut self, operation: usize) {
        let rank = self.ranks[operation];
        if self.operations[operation].completed.is_none() {
            self.taken[rank / 64] &= !(1 << (rank % 64));
            self.taken_count -= 1;
            return;
        }
        self.done[rank / 64] &= !(1 << (rank % 64));
        self.ordered -= 1;
        self.first = self.first.min(rank);
    }

    fn situation(&self) -> Situation {
        let near = u128::from(self.window(0)) | u128::from(self.window(1)) << 64;
        let ones = |word: u64| usize::try_from(word.count_ones()).unwrap_or(0);
        let mut beyond = self.ordered - self.first;
        beyond -= ones(self.window(0)) + ones(self.window(1));
        let mut far = Vec::new();
        let mut word = 2;
        while beyond > 0 {
            far.push(self.window(word));
            beyond -= ones(self.window(word));
            word += 1;
        }
        if word > 2 || self.taken_count > 0 {
            // The length says where one ends and the other begins.
            far.insert(0, u64::try_from(far.len()).unwrap_or(u64::MAX));
        }
        if self.taken_count > 0 {
            far.extend(&self.taken);
        }
        Situation { first: self.first, near, far: far.into_boxed_slice(), state: self.state }
    }

    /// The bits of `done` from `first` on, in words.
    fn window(&self, word: usize) -> u64 {
        let (start, shift) = (self.first / 64 + word, self.first % 64);
        let get = |place| self.done.get(place).copied().unwrap_or(0);
        if shift == 0 { get(start) } else { get(start) >> shift | get(start + 1) << (64 - shift) }
    }

    fn stuck(&self, operation: usize, why: Refusal) -> Stuck {
        let next = self.operations[operation];
        let taken = self.path.iter().map(|taken| self.operations[self.nodes[taken.node].operation]);
        let last = taken.rev().find(|operation| operation.action == Action::Acquire);
        Stuck {
            lock: next.lock,
            ordered: Some(self.ordered),
            of: self.answered,
            next,
            why,
            holder: last.filter(|_| self.state.depth > 0),
        }
    }
}
