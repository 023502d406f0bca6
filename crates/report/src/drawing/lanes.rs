//! What happens in each lane of a drawing, in order.

use lockproof_model::{HolderId, Instant, Step};

use crate::space_time::{self, Event, Kind, Schedule, Subject};

/// A holder, or whatever hits everybody.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) is_of_everybody: bool,
    /// In order; two of one instant are two points.
    pub(super) points: Vec<Point>,
    pub(super) leases: Vec<Span>,
    /// Acquires in flight.
    pub(super) waits: Vec<Span>,
    pub(super) bands: Vec<Band>,
}

/// Something that happens at an instant.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) at: Instant,
    pub(super) sign: Sign,
    /// Written beside it; may be nothing.
    pub(super) name: String,
    /// All that is known of it.
    pub(super) title: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Something begins or ends there that is drawn otherwise.
    Silent,
    Done,
    Refused,
    Unknown,
    Commit,
    /// The one that proves the schedule.
    LastCommit,
    LeaseEnds,
    FaultBegins,
    FaultEnds,
    /// A fault that is over at once.
    Strike,
}

/// From one point of a lane to another, or to the end of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) until: Option<usize>,
}

/// A fault in effect.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) span: Span,
    /// How many others it lies in.
    pub(super) depth: usize,
    pub(super) title: String,
}

impl Sign {
    pub(super) const fn class_of_name(self) -> &'static str {
        match self {
            Self::LastCommit => "proof",
            Self::LeaseEnds => "end",
            Self::FaultBegins => "ill left",
            Self::FaultEnds | Self::Strike | Self::Unknown => "ill",
            Self::Silent | Self::Done | Self::Refused | Self::Commit => "plain",
        }
    }
}

/// The lanes of a schedule: what hits everybody first, then each holder.
pub(super) fn of(schedule: Schedule<'_>) -> Vec<Lane> {
    let events = space_time::events(schedule);
    let everybody = events.iter().any(|event| event.holder.is_none()).then_some(None);
    let holders = space_time::holders(schedule).into_iter().map(Some);
    let whose = everybody.into_iter().chain(holders);
    whose.map(|holder| Builder::new(schedule, &events, holder).build()).collect()
}

/// `253.179`, in milliseconds.
pub(super) fn time(at: Instant) -> String {
    space_time::millis(at).trim_end_matches(" ms").to_owned()
}

struct Builder<'a> {
    schedule: Schedule<'a>,
    events: &'a [Event],
    holder: Option<HolderId>,
    lane: Lane,
    /// Where its lease begins, and until when it may be trusted.
    lease: Option<(usize, Instant)>,
    wait: Option<usize>,
    /// Faults in effect: which, and how they are drawn so far.
    faults: Vec<(usize, Band)>,
}

impl<'a> Builder<'a> {
    fn new(schedule: Schedule<'a>, events: &'a [Event], holder: Option<HolderId>) -> Self {
        let name = holder.map_or_else(|| "everybody".to_owned(), |holder| holder.to_string());
        let lane = Lane {
            name,
            is_of_everybody: holder.is_none(),
            points: Vec::new(),
            leases: Vec::new(),
            waits: Vec::new(),
            bands: Vec::new(),
        };
        Self { schedule, events, holder, lane, lease: None, wait: None, faults: Vec::new() }
    }

    fn build(mut self) -> Lane {
        let (events, holder) = (self.events, self.holder);
        for event in events.iter().filter(|event| event.holder == holder) {
            self.end_lease_before(event.at);
            match event.subject {
                Subject::Step(step) => self.step(event, step),
                Subject::Fault(index) => self.fault(event, index),
            }
        }
        let last = self.events.last().map_or(Instant::ZERO, |event| event.at);
        self.end_lease_before(last);
        self.lane.leases.extend(self.lease.map(|(from, _)| Span { from, until: None }));
        self.lane.bands.extend(self.faults.into_iter().map(|(_, band)| band));
        self.lane
    }

    fn step(&mut self, event: &Event, step: Step) {
        if event.kind == Kind::Invoked {
            match step {
                Step::Acquire => self.wait = Some(self.silent(event.at)),
                Step::Release => self.end_lease(event.at),
                _ => {}
            }
            return;
        }
        let sign = match event.kind {
            Kind::Committed if space_time::is_last_commit(event, self.events) => Sign::LastCommit,
            Kind::Committed => Sign::Commit,
            Kind::Refused => Sign::Refused,
            Kind::Unknown => Sign::Unknown,
            _ => Sign::Done,
        };
        let point = self.point(event, sign, step.word());
        if step == Step::Acquire {
            let wait = self.wait.take().map(|from| Span { from, until: Some(point) });
            self.lane.waits.extend(wait);
            self.lease = event.lease.filter(|_| sign == Sign::Done).map(|until| (point, until));
        }
    }

    fn fault(&mut self, event: &Event, index: usize) {
        let record = &self.schedule.injections[index];
        if event.kind == Kind::Healed {
            let until = Some(self.point(event, Sign::FaultEnds, ""));
            if let Some(place) = self.faults.iter().position(|(known, _)| *known == index) {
                let (_, band) = self.faults.remove(place);
                self.lane.bands.push(Band { span: Span { until, ..band.span }, ..band });
            }
        } else if record.healed == Some(record.injected) {
            self.point(event, Sign::Strike, &record.kind);
        } else {
            let from = self.point(event, Sign::FaultBegins, &record.kind);
            let observed = if record.observed.is_empty() { "in effect" } else { &record.observed };
            let title = format!("{}: {observed}", record.kind);
            let depth = self.faults.len();
            self.faults.push((index, Band { span: Span { from, until: None }, depth, title }));
        }
    }

    fn point(&mut self, event: &Event, sign: Sign, name: &str) -> usize {
        let title = format!("{} {}", space_time::millis(event.at), event.what);
        self.push(Point { at: event.at, sign, name: name.to_owned(), title })
    }

    /// The lane's last point, where that is of this instant; else one that nothing is written at.
    fn silent(&mut self, at: Instant) -> usize {
        match self.lane.points.last() {
            Some(last) if last.at == at => self.lane.points.len() - 1,
            _ => self.push(Point {
                at,
                sign: Sign::Silent,
                name: String::new(),
                title: String::new(),
            }),
        }
    }

    fn push(&mut self, point: Point) -> usize {
        self.lane.points.push(point);
        self.lane.points.len() - 1
    }

    /// The lease, where it ends by itself before `at`.
    fn end_lease_before(&mut self, at: Instant) {
        let Some((from, until)) = self.lease.filter(|(_, until)| *until < at) else { return };
        self.lease = None;
        let title = format!("{} the lease ends", space_time::millis(until));
        let name = "lease ends".to_owned();
        let end = self.push(Point { at: until, sign: Sign::LeaseEnds, name, title });
        self.lane.leases.push(Span { from, until: Some(end) });
    }

    /// The lease, as its holder gives it back.
    fn end_lease(&mut self, at: Instant) {
        let Some((from, _)) = self.lease.take() else { return };
        let until = Some(self.silent(at));
        self.lane.leases.push(Span { from, until });
    }
}
