//! Events as lines: what one holder does in one go stands in one line.

use std::time::Duration;

use lockproof_model::{Instant, Step, StoryLine};

use super::event::{Event, Kind, joined};

/// More lines than this are not read.
const LINES_MAX: usize = 14;

/// A line is not made longer than this by joining.
const CHARS_MAX: usize = 64;

/// Steps that follow each other within this time need no time of their own.
const AT_ONCE: Duration = Duration::from_millis(2);

/// Joins events of one holder that nobody else's came between.
pub(super) fn merge(events: Vec<Event>) -> Vec<StoryLine> {
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        let joins = lines.last().is_some_and(|line| line.takes(&event));
        match lines.last_mut() {
            Some(line) if joins => line.append(event),
            _ => lines.push(Line::start(event)),
        }
    }
    shorten(lines.into_iter().map(Line::finish).collect())
}

#[derive(Debug)]
struct Line {
    at: Instant,
    who: String,
    what: String,
    note: String,
    /// The last event: when its time was last written, and what it was.
    timed: Instant,
    kind: Kind,
}

impl Line {
    fn start(event: Event) -> Self {
        let Event { at, who, what, kind, note } = event;
        Self { at, who, what, note: note.unwrap_or_default(), timed: at, kind }
    }

    fn takes(&self, event: &Event) -> bool {
        let is_own = self.who == event.who;
        let is_open = matches!(self.kind, Kind::Step(_)) || event.kind == Kind::Fault;
        // A note ends its line, but the write that it speaks of is one thing.
        let is_noted = !self.note.is_empty() && !self.is_one_write_with(event);
        let chars = self.what.chars().count() + event.what.chars().count();
        is_own && is_open && !is_noted && self.kind != Kind::Fault && chars < CHARS_MAX
    }

    fn append(&mut self, event: Event) {
        let is_at_once = event.at.saturating_since(self.timed) <= AT_ONCE;
        if event.kind == Kind::Fault {
            self.what = format!("{}      {}", self.what, event.what);
        } else if is_at_once || self.is_one_write_with(&event) {
            self.what = format!("{}, {}", self.what, event.what);
        } else {
            self.what = format!("{}    {} {}", self.what, event.at, event.what);
            self.timed = event.at;
        }
        // The later step's note is the verdict, the earlier one's the reason.
        self.note = joined(&event.note.unwrap_or_default(), &self.note);
        self.kind = event.kind;
    }

    fn is_one_write_with(&self, event: &Event) -> bool {
        (self.kind, event.kind) == (Kind::Step(Step::Insert), Kind::Step(Step::Commit))
    }

    fn finish(self) -> StoryLine {
        let Self { at, who, mut what, note, .. } = self;
        if !note.is_empty() {
            what = format!("{what}   ← {note}");
        }
        StoryLine { at, who, what }
    }
}

/// Leaves out the middle of a story that is too long: its beginning and its end are what matters.
fn shorten(mut lines: Vec<StoryLine>) -> Vec<StoryLine> {
    let Some(excess @ 1..) = lines.len().checked_sub(LINES_MAX) else { return lines };
    let start = LINES_MAX / 2;
    let left_out: Vec<_> = lines.drain(start..=start + excess).collect();
    let at = left_out.first().map(|line| line.at).unwrap_or_default();
    let what = format!("… {} lines left out", left_out.len());
    lines.insert(start, StoryLine { at, who: String::new(), what });
    lines
}
