//! In virtual time: the same seed finds the same envelope, which follows from the scenario's arithmetic.

use lockproof_model::Layer;
use lockproof_scenario::dial;

use super::*;
use crate::explore::Buggify;

const TEXT: &str = r#"schema_version = 1
name = "s"
strategies = ["redis-set-nx", "redis-set-nx+fencing", "none"]
[workload]
holders = 4
slots = 4
bookings = 24
work = "20ms"
[lock]
ttl = "300ms"
wait = { tries = 60, delay = "10ms", jitter = "5ms" }
[[fault]]
kind = "pause-holder"
at = "before-insert"
every = 2
for = "500ms"
"#;

fn search() -> Search {
    Search {
        schedules: 10,
        time: None,
        jobs: 1,
        buggify: Buggify::Off,
        layers: vec![Layer::Effect],
        kinds: Vec::new(),
        besides: Vec::new(),
        checkers: lockproof_checkers::ENTRIES.iter().map(|entry| entry.checker).collect(),
        halt: Arc::default(),
        slice: None,
        chronicle: None,
    }
}

fn millis(millis: u64) -> Amount {
    Amount::Nanoseconds(millis * 1_000_000)
}

fn varied(field: &str, low: u64, high: u64) -> Varied {
    let dialled = dial(TEXT, field).unwrap();
    let (field, fault) = (dialled.field.clone(), dialled.fault.clone());
    let (low, high, step) = (millis(low), millis(high), millis(1));
    Varied { dialled, dial: Dial { field, fault, low, high, step } }
}

fn envelope(strategy: &str, against: Option<(&Varied, Amount)>, search: &Search) -> Envelope {
    let pause = varied("fault.for", 0, 1000);
    let survey = Survey {
        path: Path::new("s.toml"),
        text: TEXT,
        dial: &pause,
        against: against.map(|(varied, _)| varied),
        seed: 7,
        search,
    };
    let strategy = Strategy::parse(strategy).unwrap();
    let at = against.map(|(_, at)| at);
    survey.envelope(&strategy, at, &|| Duration::ZERO).unwrap().unwrap()
}

#[test]
fn a_lock_survives_a_pause_that_ends_before_its_lease_with_the_work() {
    let found = envelope("redis-set-nx", None, &search());
    let Shape::UpTo { survives, breaks } = found.shape else { panic!("{:?}", found.shape) };
    // The lease runs for 300 ms, of which the work takes 20 before the pause; what comes after the pause takes less
    // than a millisecond or two.
    assert!((millis(270)..=millis(281)).contains(&survives), "{survives}");
    assert_eq!(breaks.figure() - survives.figure(), 1_000_000, "found to the step");
    let mut below = found.tried.iter().filter(|point| point.at <= survives);
    assert!(below.all(|point| point.broken.is_none()));
    // Just beyond its lease a holder is lucky now and then: somebody else has to come in between. That is said.
    let lucky = |point: &&Tried| point.at > breaks && point.broken.is_none();
    let lucky: Vec<_> = found.tried.iter().filter(lucky).map(|point| point.at).collect();
    assert_eq!(found.odd, lucky);
    assert!(lucky.iter().all(|at| *at < millis(320)), "{lucky:?}");
}

#[test]
fn a_guard_survives_every_pause_and_no_lock_at_all_none() {
    assert_eq!(envelope("redis-set-nx+fencing", None, &search()).shape, Shape::Survives);
    assert_eq!(envelope("none", None, &search()).shape, Shape::Breaks);
}

#[test]
fn a_longer_lease_survives_a_longer_pause() {
    let ttl = varied("lock.ttl", 100, 400);
    let search = search();
    let of = |ttl_ms| match envelope("redis-set-nx", Some((&ttl, millis(ttl_ms))), &search).shape {
        Shape::UpTo { survives, .. } => survives.figure() / 1_000_000,
        other => panic!("{other:?}"),
    };
    let (short, long) = (of(100), of(400));
    assert!((70..=81).contains(&short) && (370..=381).contains(&long), "{short} {long}");
}

#[test]
fn the_same_seed_finds_the_same_with_any_number_of_threads() {
    let found = envelope("redis-set-nx", None, &search());
    assert_eq!(envelope("redis-set-nx", None, &Search { jobs: 3, ..search() }), found);
}

#[test]
fn an_interrupted_sweep_finds_nothing() {
    let halted = search();
    halted.halt.store(true, Ordering::Relaxed);
    let pause = varied("fault.for", 0, 1000);
    let survey = Survey {
        path: Path::new("s.toml"),
        text: TEXT,
        dial: &pause,
        against: None,
        seed: 7,
        search: &halted,
    };
    let strategy = Strategy::parse("redis-set-nx").unwrap();
    assert_eq!(survey.envelope(&strategy, None, &|| Duration::ZERO), Ok(None));
}

#[test]
fn a_value_that_the_scenario_refuses_is_told_with_its_place() {
    let ttl = varied("lock.ttl", 0, 100);
    let search = search();
    let survey = Survey {
        path: Path::new("s.toml"),
        text: TEXT,
        dial: &ttl,
        against: None,
        seed: 7,
        search: &search,
    };
    let strategy = Strategy::parse("redis-set-nx").unwrap();
    let why = survey.envelope(&strategy, None, &|| Duration::ZERO).unwrap_err();
    assert!(
        why.starts_with("with lock.ttl = \"0ms\" the scenario is refused:\ns.toml:10:7"),
        "{why}"
    );
}

#[test]
fn what_is_survived_again_beyond_the_boundary_is_odd() {
    let dial = varied("fault.for", 0, 10).dial;
    let places = [(0, true), (3, true), (4, false), (7, true), (10, false)].into();
    let (found, odd) = shape(&places, &dial);
    assert_eq!(found, Shape::UpTo { survives: millis(3), breaks: millis(4) });
    assert_eq!(odd, [millis(7)]);
}

#[test]
fn the_second_field_has_seven_values_or_as_many_as_there_are() {
    let (pause, ttl) = (varied("fault.for", 0, 1000), varied("lock.ttl", 100, 400));
    let few = varied("lock.ttl", 100, 102);
    let search = search();
    let rows = |against| {
        let (path, text) = (Path::new("s.toml"), TEXT);
        Survey { path, text, dial: &pause, against, seed: 7, search: &search }.rows()
    };
    assert_eq!(rows(None), [None]);
    let all = [100, 150, 200, 250, 300, 350, 400].map(|at| Some(millis(at)));
    assert_eq!(rows(Some(&ttl)), all);
    assert_eq!(rows(Some(&few)), [100, 101, 102].map(|at| Some(millis(at))));
}
