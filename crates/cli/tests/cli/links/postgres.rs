//! On real servers.

use lockproof_rig::live::probes;

use super::as_expected;
use crate::programs::skip;

#[test]
fn replies_and_acknowledgements_are_lost_on_real_servers() {
    let found =
        |what: &str| probes().iter().any(|probe| probe.what == what && probe.found.is_some());
    if !["redis-server", "postgres", "initdb"].into_iter().all(found) {
        return skip("lost acknowledgements", "redis-server or Postgres is missing");
    }
    as_expected("reply-lost", &["--provider", "process"]);
    as_expected("commit-acknowledgement-lost", &["--provider", "process"]);
}
