//! Looking at a lock of a majority: what a quorum of the servers says.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{LockName, OwnerValue};

use super::Redlock;
use crate::fan_out::fan_out;
use crate::inspect::Look;
use crate::{Inspect, LockError, Result, Standing};

impl Inspect for Redlock {
    fn standing<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Option<Standing>>> {
        async move {
            let mut looks = self.looks();
            let answers = fan_out(looks.iter_mut().map(|look| look.standing(lock)), |_| false);
            let standings = self.of_majority(answers.await)?;
            Ok(held_by_majority(standings.into_iter().flatten(), self.quorum()))
        }
        .boxed()
    }

    fn active<'a>(
        &'a self,
        pattern: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(LockName, Standing)>>> {
        async move {
            let mut looks = self.looks();
            let answers =
                fan_out(looks.iter_mut().map(|look| look.names(pattern, limit)), |_| false);
            let names: BTreeSet<_> =
                self.of_majority(answers.await)?.into_iter().flatten().collect();
            let mut active = Vec::new();
            for lock in names {
                if active.len() == limit {
                    break;
                }
                if let Some(standing) = self.standing(&lock).await? {
                    active.push((lock, standing));
                }
            }
            Ok(active)
        }
        .boxed()
    }

    fn force_release<'a>(
        &'a self,
        lock: &'a LockName,
    ) -> BoxFuture<'a, Result<Option<OwnerValue>>> {
        async move {
            let mut looks = self.looks();
            let answers = fan_out(looks.iter_mut().map(|look| look.force_release(lock)), |_| false);
            let owners = self.of_majority(answers.await)?.into_iter().flatten();
            let mut counts = BTreeMap::<OwnerValue, usize>::new();
            owners.for_each(|owner| *counts.entry(owner).or_default() += 1);
            Ok(counts
                .into_iter()
                .find(|(_, count)| *count >= self.quorum())
                .map(|(owner, _)| owner))
        }
        .boxed()
    }

    fn evicts(&self) -> BoxFuture<'_, Result<Option<String>>> {
        async move {
            let mut looks = self.looks();
            let answers = fan_out(looks.iter_mut().map(Look::evicts), |_| false);
            Ok(self.of_majority(answers.await)?.into_iter().flatten().next())
        }
        .boxed()
    }
}

impl Redlock {
    fn looks(&self) -> Vec<Look> {
        let limit = self.settings.server_time_limit;
        (0..self.backends.redis_servers())
            .map(|server| Look::at(&self.backends, server, &self.env, &self.settings, limit))
            .collect()
    }

    fn quorum(&self) -> usize {
        self.backends.redis_servers() / 2 + 1
    }

    /// What was answered, if a quorum has.
    fn of_majority<T>(&self, answers: Vec<Result<T>>) -> Result<Vec<T>> {
        let (mut good, mut last) = (Vec::new(), None);
        for answer in answers {
            match answer {
                Ok(answer) => good.push(answer),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) if good.len() < self.quorum() => {
                let (answered, quorum) = (good.len(), self.quorum());
                let what =
                    format!("{answered} of the {quorum} servers that a quorum needs answered");
                Err(LockError::indefinite(what).because(error))
            }
            _ => Ok(good),
        }
    }
}

/// The owner whom a quorum names. Their lock ends for the quorum when the first server that it cannot do without drops it.
fn held_by_majority(standings: impl Iterator<Item = Standing>, quorum: usize) -> Option<Standing> {
    let mut by_owner = BTreeMap::<OwnerValue, Vec<Standing>>::new();
    for standing in standings {
        by_owner.entry(standing.owner.clone()).or_default().push(standing);
    }
    let mut held = by_owner.into_values().find(|standings| standings.len() >= quorum)?;
    // Longest first; what nothing bounds is longest of all.
    held.sort_by_key(|standing| {
        std::cmp::Reverse((standing.remaining.is_none(), standing.remaining))
    });
    held.into_iter().nth(quorum - 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn standing(owner: &str, millis: u64) -> Standing {
        let remaining = Some(Duration::from_millis(millis));
        Standing { owner: OwnerValue::new(owner), remaining, fencing_token: None }
    }

    #[test]
    fn a_lock_is_its_quorums_and_ends_with_it() {
        let of = |standings: &[Standing]| held_by_majority(standings.iter().cloned(), 2);
        assert_eq!(of(&[standing("a", 10)]), None);
        assert_eq!(of(&[standing("a", 10), standing("b", 10)]), None);
        let three = [standing("a", 30), standing("b", 99), standing("a", 10)];
        assert_eq!(of(&three), Some(standing("a", 10)));
        let three = [standing("a", 30), standing("a", 20), standing("a", 10)];
        assert_eq!(of(&three), Some(standing("a", 20)));
    }
}
