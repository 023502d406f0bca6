//! Members in the order of their scores.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Score;

/// Two views of the same members: by name, and in order. A rank is counted from the front, which a
/// queue of waiting clients is short enough for.
#[derive(Debug, Clone, Default)]
pub(crate) struct SortedSet {
    scores: BTreeMap<Bytes, Score>,
    ordered: BTreeSet<(Score, Bytes)>,
}

/// One end of a range of scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) score: Score,
    pub(crate) excluded: bool,
}

/// A range of scores, both ends included unless they say otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScoreRange {
    pub(crate) min: Edge,
    pub(crate) max: Edge,
}

impl ScoreRange {
    pub(crate) fn contains(&self, score: Score) -> bool {
        let above =
            if self.min.excluded { score > self.min.score } else { score >= self.min.score };
        let below =
            if self.max.excluded { score < self.max.score } else { score <= self.max.score };
        above && below
    }
}

impl SortedSet {
    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<Score> {
        self.scores.get(member).copied()
    }

    /// Adds `member` or moves it.
    pub(crate) fn insert(&mut self, member: Bytes, score: Score) {
        let score = score.without_sign_of_zero();
        match self.scores.get_mut(&member) {
            Some(current) if *current == score => return,
            Some(current) => {
                self.ordered.remove(&(*current, member.clone()));
                *current = score;
            }
            None => {
                self.scores.insert(member.clone(), score);
            }
        }
        self.ordered.insert((score, member));
    }

    pub(crate) fn remove(&mut self, member: &Bytes) -> bool {
        let Some(score) = self.scores.remove(member) else { return false };
        self.ordered.remove(&(score, member.clone()))
    }

    /// How many members come before this one.
    pub(crate) fn rank(&self, member: &Bytes) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.ordered.range(..(score, member.clone())).count())
    }

    /// From the lowest score to the highest, equal ones by name.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Score, &Bytes)> {
        self.ordered.iter().map(|(score, member)| (*score, member))
    }

    /// The members whose scores are in `range`, lowest first.
    pub(crate) fn within(
        &self,
        range: ScoreRange,
    ) -> impl DoubleEndedIterator<Item = (Score, &Bytes)> {
        let empty = range.min.score > range.max.score;
        let from = (range.min.score, Bytes::new());
        let members = (!empty).then(|| self.ordered.range(from..)).into_iter().flatten();
        // The range of the tree ends by score only, which has no name that comes after all others.
        members
            .map(|(score, member)| (*score, member))
            .filter(move |(score, _)| range.contains(*score))
    }
}
