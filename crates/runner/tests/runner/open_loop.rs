//! Coordinated omission: a stall must show in the response time of those who came meanwhile.

use lockproof_model::Status;

use crate::support::run;

/// A hundred attempts a second for three seconds, the server silent for one of them, four holders.
const STALLED: &str = r#"
schema_version = 1
name = "stalled"
strategies = ["redis-set-nx"]

[workload]
holders = 4
slots = 100
bookings = 300
arrivals = { kind = "open", rate_per_s = 100 }

[lock]
ttl = "30s"
time-limit = "20s"
wait = { tries = 100000, delay = "1ms", jitter = "1ms" }

[[fault]]
kind = "partition"
links = "redis"
from = "1s"
until = "2s"

[require]
contended = 0
"#;

#[test]
fn a_server_that_stalls_for_a_second_shows_in_the_p99_of_the_response_time() {
    let report = run(STALLED);
    assert_eq!(report.judgement.status, Status::Met, "{:?}", report.judgement.reasons);
    let response = report.response.expect("attempts were made");
    // A hundred attempts came while the server was silent, on average half a second before it spoke again: a third of
    // all samples. However slow this machine is, it can only add to that.
    assert!(response.p99_us > 500_000.0, "{response:?}");
    // Four of them were with the server; the others waited for a holder, which the service time does not count.
    assert!(report.backlog > 50, "{} waited", report.backlog);
    assert_eq!(report.offered_per_s, Some(100.0));
}
