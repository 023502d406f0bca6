//! Postgres processes end with the program as well.

use lockproof_rig::live::probes;

use crate::killed::nothing_is_left_of_a_killed_program;

#[tokio::test]
async fn no_postgres_outlives_a_killed_program() {
    let found =
        |what: &str| probes().iter().any(|probe| probe.what == what && probe.found.is_some());
    if ["redis-server", "postgres", "initdb"].into_iter().all(found) {
        nothing_is_left_of_a_killed_program("postgres").await;
        return;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "redis-server or Postgres is missing");
}
