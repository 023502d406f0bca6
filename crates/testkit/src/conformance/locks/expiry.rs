//! Grants end by themselves, renewals extend them, and what has ended stays so.

use std::time::Duration;

use futures_util::FutureExt;
use lockproof_locks::{Acquired, LockSession, Released, Renewed};
use lockproof_rig::{LinkUse::Direct, Rig};

use super::{Asks, LONG, Trial, await_grant, find_held, lock_name, take, take_briefly};
use crate::Bench;

pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "a_grant_ends_by_itself_and_not_before_its_validity",
        asks: Asks::Ends,
        links: Direct,
        run: |bench| ends_by_itself(bench).boxed(),
    },
    Trial {
        name: "a_late_release_leaves_the_next_holder_alone",
        asks: Asks::Ends,
        links: Direct,
        run: |bench| late_release(bench).boxed(),
    },
    Trial {
        name: "a_renewal_extends_the_grant",
        asks: Asks::Renews,
        links: Direct,
        run: |bench| renewal_extends(bench).boxed(),
    },
    Trial {
        name: "a_renewal_after_the_end_is_lost_and_resurrects_nothing",
        asks: Asks::Renews,
        links: Direct,
        run: |bench| no_resurrection(bench).boxed(),
    },
    Trial {
        name: "a_renewal_does_not_take_the_lock_from_the_next_holder",
        asks: Asks::Renews,
        links: Direct,
        run: |bench| renewal_after_another(bench).boxed(),
    },
    Trial {
        name: "a_renewed_grant_ends_by_itself_too",
        asks: Asks::Renews,
        links: Direct,
        run: |bench| renewed_ends(bench).boxed(),
    },
];

async fn ends_by_itself(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let lease = take_briefly(bench, &mut first, &lock).await;
    let ttl = lease.ttl.expect("the lock has leases");
    let next = await_grant(bench, &mut second, &lock).await;
    let promised = lease.invoked + ttl - bench.allowance(ttl);
    assert!(next.granted >= promised, "granted at {} within {lease:?}", next.granted);
}

async fn late_release(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let lease = take_briefly(bench, &mut first, &lock).await;
    let next = await_grant(bench, &mut second, &lock).await;
    let answer = first.release(lease).await.expect("the servers answer");
    assert_eq!(answer, Released::Lost, "a lease that had ended was released as if it stood");
    find_held(&mut first, &bench.claim(&lock)).await;
    let answer = second.release(next).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned, "a late release took the next holder's grant");
}

async fn renewal_extends(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    // For the TTL that it was granted with, since not every server can change one.
    let mut ttls = bench.brief().into_iter();
    let (ended, lease) = loop {
        let ttl = ttls.next().expect("a renewal comes in time");
        let mut lease = take(&mut first, &bench.claim(&lock), ttl).await;
        let (asked, granted) = (bench.env.now(), lease.invoked);
        bench.env.sleep(ttl / 2).await;
        match first.renew(&mut lease, ttl).await.expect("the servers answer") {
            Renewed::Extended => {
                assert!(
                    lease.invoked >= asked + ttl / 2,
                    "a renewed lease counts from its renewal"
                );
                assert_eq!(lease.ttl, Some(ttl));
                assert!(lease.valid_until <= lease.invoked + ttl);
                let ended = granted + ttl;
                assert!(lease.valid_until > ended);
                // Past the end that the grant would have had; and that the look came within the new one.
                bench.env.sleep_until(ended + Duration::from_millis(5)).await;
                let answer = second.acquire(&bench.claim(&lock), ttl).await;
                if bench.env.now() + bench.allowance(ttl) < lease.valid_until {
                    break (answer, lease);
                }
                // Too slow a machine to tell: once more with a longer TTL, when all of this has ended.
                bench.env.sleep(ttl * 2).await;
            }
            Renewed::Lost => {
                let lasted = bench.env.now().saturating_since(granted);
                assert!(lasted + bench.allowance(ttl) >= ttl, "lost while its validity stood");
            }
        }
    };
    let answer = ended.expect("the servers answer");
    assert_eq!(answer, Acquired::Held, "granted though {lease:?} was renewed");
}

async fn no_resurrection(bench: &Bench) {
    let lock = lock_name();
    let mut session = bench.session(1).await;
    let mut lease = take(&mut session, &bench.claim(&lock), LONG).await;
    let expired = bench.rig.expire_lock(&lock).await.expect("the servers answer");
    assert_eq!(expired.held_on, expired.servers, "the grant was not on every server");
    let before = lease.clone();
    let answer = session.renew(&mut lease, LONG).await.expect("the servers answer");
    assert_eq!(answer, Renewed::Lost, "a grant that had ended was renewed");
    assert_eq!(lease, before, "a renewal that was lost changed the lease");
    super::flush(bench, &mut session).await;
    assert_eq!(bench.left_over(&lock).await, 0, "a renewal set the key again");
}

async fn renewal_after_another(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let mut lease = take_briefly(bench, &mut first, &lock).await;
    let next = await_grant(bench, &mut second, &lock).await;
    let answer = first.renew(&mut lease, LONG).await.expect("the servers answer");
    assert_eq!(answer, Renewed::Lost, "a grant that another has now was renewed");
    let answer = second.release(next).await.expect("the servers answer");
    assert_eq!(answer, Released::Owned, "a late renewal took the next holder's grant");
}

async fn renewed_ends(bench: &Bench) {
    let lock = lock_name();
    let (mut first, mut second) = (bench.session(1).await, bench.session(2).await);
    let mut lease = take_briefly(bench, &mut first, &lock).await;
    let ttl = lease.ttl.expect("the lock has leases");
    // Too late it may be; the grant ends all the same.
    let renewed = first.renew(&mut lease, ttl).await;
    let next = await_grant(bench, &mut second, &lock).await;
    if let Ok(Renewed::Extended) = renewed {
        let promised = lease.invoked + ttl - bench.allowance(ttl);
        assert!(next.granted >= promised, "granted at {} within {lease:?}", next.granted);
    }
}
