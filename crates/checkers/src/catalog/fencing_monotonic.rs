//! Fencing tokens of one slot strictly increase with every grant, in real-time order.
//!
//! When one grant was seen before another was requested, its token is the smaller one. Grants that overlap in
//! time may come in either order, but never share a token.

use lockproof_model::{
    Anomaly, Effect, Evidence, FencingToken, Finding, Instant, Layer, Operation, SlotId,
};

use super::CheckerEntry;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "fencing-monotonic",
    summary: "fencing tokens strictly increase with every grant",
    layer: Layer::Service,
    checker: &FencingMonotonic,
};

#[derive(Debug)]
struct FencingMonotonic;

impl Checker for FencingMonotonic {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let mut draws: Vec<_> = evidence.history.operations.iter().filter_map(Draw::of).collect();
        draws.sort_unstable_by_key(|draw| (draw.slot, draw.requested, draw.grant.id));

        let slots = draws.chunk_by(|a, b| a.slot == b.slot);
        let mut pairs: Vec<_> =
            slots.flat_map(|draws| [went_back(draws), repeated(draws)]).flatten().collect();
        pairs.sort_unstable_by_key(|pair| (pair.later.requested, pair.later.grant.id));

        Finding::from_anomalies(ENTRY.name, ENTRY.layer, words::listed(&pairs, Pair::describe))
    }
}

/// A token and when it was drawn: somewhere in between.
#[derive(Clone, Copy, Debug)]
struct Draw<'a> {
    grant: &'a Operation,
    slot: SlotId,
    requested: Instant,
    granted: Instant,
    token: FencingToken,
}

impl<'a> Draw<'a> {
    fn of(grant: &'a Operation) -> Option<Self> {
        let Effect::Granted { requested, fencing_token, .. } = grant.outcome.effect()? else {
            return None;
        };
        let (requested, token) = (*requested, (*fencing_token)?);
        Some(Self { grant, slot: grant.slot, requested, granted: grant.completed?, token })
    }
}

/// Two grants whose tokens contradict their order.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    earlier: Draw<'a>,
    later: Draw<'a>,
    kind: &'static str,
}

/// Draws whose token is smaller than one that was seen before they were requested.
fn went_back<'a>(by_request: &[Draw<'a>]) -> Vec<Pair<'a>> {
    let mut by_grant = by_request.to_vec();
    by_grant.sort_unstable_by_key(|draw| (draw.granted, draw.grant.id));
    let mut seen = by_grant.into_iter().peekable();
    let mut largest: Option<Draw<'a>> = None;
    let mut pairs = Vec::new();
    for later in by_request {
        while let Some(draw) = seen.next_if(|draw| draw.granted < later.requested) {
            if largest.is_none_or(|known| draw.token > known.token) {
                largest = Some(draw);
            }
        }
        if let Some(earlier) = largest.filter(|known| known.token > later.token) {
            pairs.push(Pair { earlier, later: *later, kind: kinds::TOKEN_WENT_BACK });
        }
    }
    pairs
}

/// Draws of one and the same token.
fn repeated<'a>(draws: &[Draw<'a>]) -> Vec<Pair<'a>> {
    let mut by_token = draws.to_vec();
    by_token.sort_unstable_by_key(|draw| (draw.token, draw.requested, draw.grant.id));
    let neighbours = by_token.iter().zip(by_token.iter().skip(1));
    neighbours
        .filter(|(earlier, later)| earlier.token == later.token)
        .map(|(&earlier, &later)| Pair { earlier, later, kind: kinds::TOKEN_REPEATED })
        .collect()
}

impl Pair<'_> {
    fn describe(&self) -> Anomaly {
        let Self { earlier, later, kind } = self;
        let (first, second) = (earlier.grant.holder, later.grant.holder);
        let sentence = if *kind == kinds::TOKEN_REPEATED {
            format!("{} was drawn by {first} and again by {second} for {}", later.token, later.slot)
        } else {
            format!(
                "{second} drew {} for {} after {first} had drawn {}",
                later.token, later.slot, earlier.token.0
            )
        };
        Anomaly {
            kind: (*kind).to_owned(),
            slot: later.slot,
            count: 1,
            sentence,
            witness: words::witness([earlier.grant.id, later.grant.id]),
        }
    }
}
