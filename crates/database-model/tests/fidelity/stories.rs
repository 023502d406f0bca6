//! What a named test is made of.

use lockproof_database_model::Statement;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Config;

use crate::compare::{Verdict, compare};
use crate::model::Stage;
use crate::script::{Enforced, Line, Outcome, Transcript};
use crate::server::Server;

/// An interleaving with what comes of it: on the model, and on a server.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) enforced: Enforced,
    pub(crate) lines: Vec<Line>,
    /// The slots' versions, and how many bookings there are of each.
    pub(crate) versions: [i64; 2],
    pub(crate) bookings: [usize; 2],
}

impl Story {
    /// Plays it on the model.
    pub(crate) fn on_model(&self) -> Transcript {
        let mut stage = Stage::new(self.enforced);
        for line in &self.lines {
            stage.play(line.session, line.statement, None);
        }
        let transcript = stage.finish();
        for (number, expected) in (1..).zip(&self.lines) {
            assert_eq!(transcript.lines.get(number - 1), Some(expected), "line {number}");
        }
        let versions: Vec<_> = transcript.table.slots.iter().map(|slot| slot.version).collect();
        assert_eq!(versions, self.versions);
        for (slot, count) in transcript.table.slots.iter().zip(self.bookings) {
            assert_eq!(transcript.table.bookings_of(slot.slot).count(), count, "{}", slot.slot);
        }
        transcript
    }

    /// Plays it on a server too.
    pub(crate) fn on_both(&self) {
        let model = self.on_model();
        on_server(|runtime, config| {
            runtime.block_on(async {
                let server = Server::connect(config).await;
                let played = server.play(&model).await;
                server.drop_tables().await;
                assert_eq!(compare(&model, &played), Verdict::Alike);
            });
        });
    }
}

/// One session's part in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who(pub(crate) usize);

impl Who {
    pub(crate) const fn gets(self, statement: Statement, outcome: Outcome) -> Line {
        Line { session: self.0, statement, outcome, woken: Vec::new() }
    }

    pub(crate) const fn waits(self, statement: Statement) -> Line {
        self.gets(statement, None)
    }
}

impl Line {
    /// And `who` goes on with this.
    pub(crate) fn and(mut self, who: Who, outcome: Outcome) -> Self {
        self.woken.push((who.0, outcome));
        self
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a test that did not run must not look like one that passed"
)]
pub(crate) fn on_server(test: impl FnOnce(&Runtime, &Config)) {
    let Ok(url) = std::env::var("LOCKPROOF_TEST_POSTGRES_URL") else {
        let is_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!is_ci, "LOCKPROOF_TEST_POSTGRES_URL is not set, and CI skips nothing");
        eprintln!("skipped: LOCKPROOF_TEST_POSTGRES_URL names no server");
        return;
    };
    let runtime = Builder::new_current_thread().enable_all().build().expect("it needs nothing");
    let config = url.parse().expect("LOCKPROOF_TEST_POSTGRES_URL is a URL");
    let _inside = runtime.enter();
    test(&runtime, &config);
}
