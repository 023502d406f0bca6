use std::time::Duration;

use lockproof_model::{
    AttemptId, BookingId, Effect, FaultRecord, History, HolderId, Instant, Layer, Operation,
    OperationId, Outcome, OwnerValue, Reason, Refusal, Size, SlotId, Step, Violation,
};
use lockproof_report::svg;

/// Two holders and every sign; nothing takes any time but what a fault stretches, so that steps share instants.
fn crowded() -> Violation {
    let first = HolderId(1);
    let second = HolderId(12);
    let operations = vec![
        operation(first, Step::Acquire, 0, Some(1_000), granted(250_000)),
        operation(first, Step::Begin, 1_000, Some(1_000), Outcome::Ok(Effect::Done)),
        operation(first, Step::Check, 1_000, Some(1_000), checked()),
        operation(second, Step::Acquire, 1_000, Some(251_000), granted(501_000)),
        operation(second, Step::Begin, 251_000, Some(251_000), Outcome::Ok(Effect::Done)),
        operation(second, Step::Check, 251_000, Some(251_000), checked()),
        operation(second, Step::Insert, 251_000, Some(251_000), fenced()),
        operation(second, Step::Commit, 251_000, Some(251_000), committed(1)),
        operation(first, Step::Work, 251_000, Some(251_000), Outcome::Ok(Effect::Done)),
        operation(first, Step::Commit, 251_000, Some(251_000), committed(2)),
        operation(first, Step::Release, 251_000, None, Outcome::Info(Reason::Unanswered)),
        operation(second, Step::Release, 251_000, Some(251_000), lost("<&\"")),
    ];
    let injections = vec![
        fault("pause-holder", 1_000, Some(251_000), Some(first), "stood still for 250 ms"),
        fault("reset-connections", 1_000, Some(1_000), Some(first), "2 connections reset"),
        fault("crash-server", 1_000, Some(251_000), None, "redis-1 died"),
        fault("latency", 251_000, None, None, ""),
    ];
    let size = Size { holders: 2, slots: 1, bookings: 2, faults: 4 };
    Violation {
        schedule: 1,
        layer: Layer::Effect,
        anomaly: "sold-twice".to_owned(),
        sentence: "slot 1 sold twice: ".to_owned() + &"and so on ".repeat(20) + "& <so on>",
        seed: 7,
        before: size,
        after: size,
        replay: String::new(),
        path: None,
        history: History::assemble(operations, Vec::new()),
        injections,
    }
}

fn operation(
    holder: HolderId,
    step: Step,
    invoked: u64,
    completed: Option<u64>,
    outcome: Outcome,
) -> Operation {
    Operation {
        id: OperationId(0),
        holder,
        attempt: AttemptId(holder.0),
        slot: SlotId(1),
        step,
        invoked: micros(invoked),
        completed: completed.map(micros),
        outcome,
    }
}

fn granted(until: u64) -> Outcome {
    Outcome::Ok(Effect::Granted {
        owner: OwnerValue::from_bits(1),
        requested: Instant::ZERO,
        valid_until: micros(until),
        fencing_token: None,
        tries: 1,
    })
}

fn checked() -> Outcome {
    Outcome::Ok(Effect::Checked { confirmed: 0, free: true })
}

fn committed(booking: i64) -> Outcome {
    Outcome::Ok(Effect::Committed { booking: BookingId(booking) })
}

fn fenced() -> Outcome {
    Outcome::Fail(Reason::Refused(Refusal::Fenced))
}

fn lost(error: &str) -> Outcome {
    Outcome::Info(Reason::Error(error.to_owned()))
}

fn fault(
    kind: &str,
    injected: u64,
    healed: Option<u64>,
    holder: Option<HolderId>,
    observed: &str,
) -> FaultRecord {
    FaultRecord {
        fault: 1,
        kind: kind.to_owned(),
        injected: micros(injected),
        healed: healed.map(micros),
        holder,
        slot: None,
        bit: true,
        observed: observed.to_owned(),
    }
}

fn micros(micros: u64) -> Instant {
    Instant::ZERO + Duration::from_micros(micros)
}

/// A text of the drawing: where it begins, its line, and where it ends as wide letters go.
#[derive(Debug)]
struct Words {
    line: i64,
    from: i64,
    until: i64,
    text: String,
}

/// Every text of a drawing that has a class, at its place.
fn words(drawing: &str) -> Vec<Words> {
    let texts = drawing.split("<text class=\"").skip(1);
    texts
        .map(|text| {
            let (class, rest) = text.split_once('"').expect("a class ends");
            let number = |name: &str| -> i64 {
                let (_, rest) = rest.split_once(&format!("{name}=\"")).expect("it has a place");
                rest.split('"').next().unwrap_or_default().parse().expect("a number")
            };
            let text = rest.split(['>', '<']).nth(1).unwrap_or_default().to_owned();
            let width = i64::try_from(text.chars().count()).expect("it is short") * 13 / 2;
            let is_centred = !class.contains("left") && !["title", "word"].contains(&class);
            let from = number("x") - if is_centred { width / 2 } else { 0 };
            Words { line: number("y"), from, until: from + width, text }
        })
        .collect()
}

#[test]
fn no_two_labels_overlap_and_none_leaves_the_drawing() {
    let drawing = svg(&crowded());
    let words = words(&drawing);
    for name in ["begin", "check", "work", "release", "lease ends", "reset-connections", "latency"]
    {
        assert!(words.iter().any(|words| words.text == name), "{name} is missing: {words:#?}");
    }
    let width = drawing.split("width=\"").nth(1).and_then(|rest| rest.split('"').next());
    let width: i64 = width.expect("it has a width").parse().expect("a number");
    for (index, one) in words.iter().enumerate() {
        assert!(one.from >= 0 && one.until <= width, "{one:?} of {width}");
        for other in &words[index + 1..] {
            let apart = one.line != other.line || one.until < other.from || other.until < one.from;
            assert!(apart, "{one:?} and {other:?}");
        }
    }
}

#[test]
fn every_sign_has_its_look_and_its_word() {
    let drawing = svg(&crowded());
    for class in ["wait", "lease", "over", "fault", "strike", "step", "no", "unknown", "commit"] {
        let of_class = drawing.matches(&format!("class=\"{class}\"")).count();
        assert!(of_class > 0, "{class} in {drawing}");
    }
    for word in ["waits", "lease", "fault", "done", "refused", "nobody knows", "commit"] {
        assert!(drawing.contains(&format!(">{word}</text>")), "{word} in {drawing}");
    }
    assert_eq!(drawing.matches("name proof").count(), 1, "the commit that proves it stands out");
}

#[test]
fn what_others_have_written_is_text_and_no_markup() {
    let drawing = svg(&crowded());
    assert!(drawing.contains("&amp; &lt;so on&gt;") && drawing.contains("&lt;&amp;&quot;"));
    assert!(!drawing.contains("<so on"), "{drawing}");
}
