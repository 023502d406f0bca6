//! Progress on stderr: a bar on a terminal, else a line per cell.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lockproof_model::{CellReport, Status};

use crate::arguments::Progress;
use crate::terminal;

/// Shows how far a run is.
#[derive(Debug)]
pub(crate) struct Display {
    bar: ProgressBar,
    lines: bool,
    total: usize,
    done: usize,
    duplicates: u32,
    running: Vec<String>,
}

impl Display {
    pub(crate) fn new(wanted: Progress, total: usize) -> Self {
        let wanted = match wanted {
            Progress::Auto if terminal::draws_bars() => Progress::Bar,
            Progress::Auto => Progress::Counter,
            other => other,
        };
        let target = match wanted {
            Progress::Bar => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let length = u64::try_from(total).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let style = ProgressStyle::with_template(
            "{bar:24} {pos}/{len} cells  {elapsed} elapsed, {eta} left  {wide_msg}",
        );
        bar.set_style(style.expect("a constant template is valid"));
        bar.enable_steady_tick(Duration::from_millis(200));
        let lines = wanted == Progress::Counter;
        Self { bar, lines, total, done: 0, duplicates: 0, running: Vec::new() }
    }

    pub(crate) fn begun(&mut self, cell: String) {
        self.running.push(cell);
        self.tell();
    }

    pub(crate) fn finished(&mut self, cell: &str, report: &CellReport) {
        let outcome = match report.judgement.status {
            Status::Met => "as expected",
            Status::Inconclusive => "inconclusive",
            Status::Regressed => "slower than the baseline",
            Status::Infrastructure => "no server",
            Status::Failed => "FAILED",
        };
        self.ended(cell, report, outcome);
    }

    /// The same where nothing is expected: strategies are compared by what is found.
    pub(crate) fn compared(&mut self, cell: &str, report: &CellReport) {
        self.ended(cell, report, "looked at");
    }

    /// The same of an envelope, which is no cell.
    pub(crate) fn swept(&mut self, envelope: &str, found: &str) {
        self.running.retain(|running| running != envelope);
        self.done += 1;
        self.bar.inc(1);
        self.tell();
        if self.lines {
            let Self { done, total, .. } = self;
            line(&format!("[{done}/{total}] {envelope}: {found}"));
        }
    }

    fn ended(&mut self, cell: &str, report: &CellReport, outcome: &str) {
        self.running.retain(|running| running != cell);
        self.done += 1;
        self.duplicates += report.duplicates;
        self.bar.inc(1);
        self.tell();
        if self.lines {
            let Self { done, total, .. } = self;
            let took = report.took.as_secs_f64();
            let (elapsed, left) = (span(self.bar.elapsed()), span(self.bar.eta()));
            let duplicates = self.duplicates;
            line(&format!(
                "[{done}/{total}] {cell}: {outcome}, {took:.1} s ({elapsed} elapsed, {left} left, {duplicates} duplicates so far)"
            ));
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn tell(&self) {
        let first = self.running.first().map_or("", String::as_str);
        self.bar.set_message(format!("{} duplicates so far · {first}", self.duplicates));
    }
}

/// Whole seconds: how far a run is needs no more.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// A closed stderr is nobody to tell.
fn line(text: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{text}"));
}
