//! What is said of envelopes.

use lockproof_model::{
    Amount, Dial, Envelope, LiveOutcome, LiveTry, SWEEP_SCHEMA_VERSION, Shape, Sweep, Tried,
};
use lockproof_report::{Style, SweepFormat, sweep_svg, write_sweep};

fn millis(millis: u64) -> Amount {
    Amount::Nanoseconds(millis * 1_000_000)
}

fn tried(at: u64, broken: bool) -> Tried {
    let broken = broken.then(|| "slot 1 sold twice: <a lease> ended before".to_owned());
    Tried { at: millis(at), schedules: 50, bit: at / 100, broken }
}

fn sweep() -> Sweep {
    let dial = Dial {
        field: "fault.1.for".to_owned(),
        fault: Some("pause-holder".to_owned()),
        low: millis(0),
        high: millis(2000),
        step: millis(1),
    };
    let up_to = Envelope {
        strategy: "redis-set-nx".to_owned(),
        against: None,
        shape: Shape::UpTo { survives: millis(271), breaks: millis(272) },
        odd: vec![millis(274)],
        tried: vec![
            tried(0, false),
            tried(271, false),
            tried(272, true),
            tried(274, false),
            tried(2000, true),
        ],
        live: vec![
            LiveTry { at: millis(271), outcome: LiveOutcome::Held(40) },
            LiveTry { at: millis(272), outcome: LiveOutcome::Broke(2) },
            LiveTry { at: millis(273), outcome: LiveOutcome::Undecided("no fault bit".to_owned()) },
        ],
    };
    let all = Envelope {
        strategy: "row-lock".to_owned(),
        shape: Shape::Survives,
        odd: Vec::new(),
        tried: vec![tried(0, false), tried(2000, false)],
        live: Vec::new(),
        ..up_to.clone()
    };
    let none = Envelope {
        strategy: "none".to_owned(),
        shape: Shape::Breaks,
        tried: vec![tried(0, true), tried(2000, true)],
        ..all.clone()
    };
    let barely = Envelope {
        strategy: "redlock".to_owned(),
        shape: Shape::UpTo { survives: millis(0), breaks: millis(1) },
        tried: vec![tried(0, false), tried(1, true)],
        ..all.clone()
    };
    Sweep {
        schema_version: SWEEP_SCHEMA_VERSION,
        command: "lockproof sweep s.toml --vary fault.for=0ms..2s --seed 0x7".to_owned(),
        scenario: "s".to_owned(),
        title: "A holder sleeps".to_owned(),
        seed: 7,
        schedules: 50,
        under: vec!["TTL 300 ms".to_owned(), "20 ms work".to_owned()],
        dial,
        against: None,
        envelopes: vec![up_to, all, none, barely],
        unconfirmed: None,
    }
}

fn shown(format: SweepFormat) -> String {
    let mut out = Vec::new();
    write_sweep(&sweep(), format, &mut out).expect("a string takes everything");
    String::from_utf8(out).expect("a string takes everything")
}

#[test]
fn an_envelope_is_told_in_plain_words_with_what_does_not_fit_in() {
    let text = shown(SweepFormat::Text(Style { width: Some(400), ..Style::default() }));
    for said in [
        "redis-set-nx survives a pause-holder of up to 271 ms at TTL 300 ms, 20 ms work, and breaks at 272 ms: slot 1 sold twice: <a lease> ended before.",
        "not in one direction: it survived again at 274 ms",
        "live at 271 ms: held, 40 bookings",
        "live at 272 ms: broke, 2 duplicates",
        "live at 273 ms: undecided, no fault bit",
        "row-lock survives a pause-holder of 0 ms to 2 s at TTL 300 ms, 20 ms work: all that was tried.",
        "none does not survive a pause-holder of 0 ms to 2 s",
        "no fault took effect at 0 ms, so surviving that proves nothing",
        "fault.1.for from 0 ms to 2 s, to 1 ms; a value survives when none of 50 schedules",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
}

#[test]
fn a_bar_shows_what_was_survived_and_its_columns_are_ascii() {
    let text = shown(SweepFormat::Text(Style { unicode: false, ..Style::default() }));
    assert!(text.is_ascii(), "{text}");
    let bar = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name) && line.contains("  "));
        line.and_then(|line| line.split("  ").last()).unwrap().trim().to_owned()
    };
    assert_eq!(bar("redis-set-nx  "), format!("######?{}", ".".repeat(41)));
    assert_eq!(bar("row-lock  "), "#".repeat(48));
    assert_eq!(bar("none  "), ".".repeat(48));
}

#[test]
fn the_json_reads_back_and_the_drawing_is_a_document_with_every_point() {
    let read: Sweep = serde_json::from_str(&shown(SweepFormat::Json)).unwrap();
    assert_eq!(read, sweep());
    let drawing = sweep_svg(&sweep());
    assert_eq!(drawing.matches("<circle").count(), 11);
    assert!(drawing.contains("&lt;a lease&gt;") && !drawing.contains("<a lease>"), "{drawing}");
    assert_eq!(drawing.matches("<g>").count(), drawing.matches("</g>").count());
}
