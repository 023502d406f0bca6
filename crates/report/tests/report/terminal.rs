use std::path::PathBuf;

use lockproof_model::RunReport;
use lockproof_report::{Settings, Style, find};

use crate::fixture;

fn rendered(report: &RunReport, style: Style) -> String {
    let settings = Settings { style, directory: Some(PathBuf::from("reports/latest")) };
    let rendering = (find("text").expect("a rendering of that name").build)(&settings);
    let mut out = Vec::new();
    rendering.render(report, &mut out).expect("memory takes every byte");
    String::from_utf8(out).expect("text")
}

#[test]
fn shows_the_scenario_of_the_specification() {
    let report = fixture::report(fixture::paused());
    insta::assert_snapshot!(rendered(&report, Style::default()));
}

#[test]
fn shows_every_status() {
    insta::assert_snapshot!(rendered(&fixture::everything(), Style::default()));
}

#[test]
fn shows_every_status_in_ascii() {
    let style = Style { unicode: false, ..Style::default() };
    let page = rendered(&fixture::everything(), style);
    assert!(page.is_ascii());
    insta::assert_snapshot!(page);
}

#[test]
fn leaves_out_columns_where_the_terminal_is_narrow() {
    let style = Style { width: Some(80), ..Style::default() };
    let page = rendered(&fixture::everything(), style);
    let widest = page.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}\n{page}");
    insta::assert_snapshot!(page);
}

#[test]
fn fits_a_hundred_columns() {
    let style = Style { width: Some(100), ..Style::default() };
    let page = rendered(&fixture::everything(), style);
    let widest = page.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{page}");
}

#[test]
fn tells_every_story_to_the_verbose() {
    let style = Style { verbose: true, ..Style::default() };
    let report = fixture::report(fixture::paused());
    let told = |style| rendered(&report, style).matches("sold twice under redis-set-nx").count();
    assert_eq!((told(Style::default()), told(style)), (1, 2));
}

#[test]
fn colour_adds_codes_and_changes_no_character() {
    let colored = rendered(&fixture::everything(), Style { color: true, ..Style::default() });
    let mut plain = String::new();
    let mut parts = colored.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').expect("every code ends").1);
    }
    assert!(colored.contains("\u{1b}[1;31m✘ sold twice\u{1b}[0m"));
    assert_eq!(plain, rendered(&fixture::everything(), Style::default()));
}

#[test]
fn says_that_a_run_was_interrupted() {
    let mut report = fixture::report(fixture::paused());
    report.manifest.interrupted = true;
    let page = rendered(&report, Style::default());
    assert!(page.contains("interrupted: the cells after these were not run\n"));
}

#[test]
fn a_run_without_cells_is_shown_too() {
    let page = rendered(&fixture::report(Vec::new()), Style::default());
    assert!(page.starts_with("0 scenarios, 0 cells\n"), "{page}");
}
