//! Each rendering, of a run in which everything happens.

use lockproof_model::{CellReport, RunReport, Status};
use lockproof_report::{Settings, find};
use roxmltree::Document;
use serde_json::Value;

use crate::fixture;

pub(crate) fn rendered(name: &str, report: &RunReport) -> String {
    let rendering = (find(name).expect("a rendering of that name").build)(&Settings::default());
    let mut out = Vec::new();
    rendering.render(report, &mut out).expect("memory takes every byte");
    String::from_utf8(out).expect("text")
}

/// A run whose every name and sentence tries to be something else.
fn hostile() -> RunReport {
    let mut cell = fixture::paused().remove(0);
    let evil = "</script><script>alert(1)</script>\"'&\u{1b}\n::error::x,|`=1+1".to_owned();
    cell.judgement.status = Status::Failed;
    for text in [&mut cell.scenario, &mut cell.strategy, &mut cell.title] {
        text.clone_from(&evil);
    }
    cell.judgement.reasons = vec![evil.clone()];
    cell.stories[0].lines[0].what = evil;
    fixture::report(vec![cell])
}

#[test]
fn markdown_is_as_ever() {
    insta::assert_snapshot!(rendered("markdown", &fixture::everything()));
}

#[test]
fn csv_is_as_ever() {
    insta::assert_snapshot!(rendered("csv", &fixture::everything()));
}

#[test]
fn events_are_as_ever() {
    insta::assert_snapshot!(rendered("ndjson", &fixture::everything()));
}

#[test]
fn annotations_are_as_ever() {
    insta::assert_snapshot!(rendered("github", &fixture::everything()));
}

#[test]
fn junit_is_read_by_others_as_it_was_meant() {
    let report = fixture::everything();
    let text = rendered("junit", &report);
    let document = Document::parse(&text).expect("well-formed XML");
    let suites = document.root_element();
    assert_eq!(suites.attribute("tests"), Some(report.cells.len().to_string().as_str()));
    let cases: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), report.cells.len());
    for (case, cell) in cases.iter().zip(&report.cells) {
        assert_eq!(case.attribute("name"), Some(cell.strategy.as_str()));
        assert_eq!(case.attribute("classname"), Some(cell.scenario.as_str()));
        let said = case.children().find(|node| node.is_element()).expect("it says something");
        let (element, kind) = match cell.judgement.status {
            Status::Met => ("system-out", None),
            Status::Failed => ("failure", Some("not-as-expected")),
            Status::Regressed => ("failure", Some("regressed")),
            Status::Infrastructure => ("error", Some("infrastructure")),
            Status::Inconclusive => ("error", Some("inconclusive")),
        };
        assert_eq!((said.tag_name().name(), said.attribute("type")), (element, kind));
        if cell.judgement.status != Status::Met {
            let text = said.text().unwrap_or_default();
            assert!(text.contains("again: lockproof run"), "{text}");
        }
    }
}

#[test]
fn names_that_would_be_markup_are_text_in_xml() {
    let report = hostile();
    let text = rendered("junit", &report);
    let document = Document::parse(&text).expect("well-formed XML");
    let case = document.descendants().find(|node| node.has_tag_name("testcase")).unwrap();
    let expected = report.cells[0].strategy.replace('\u{1b}', "\u{FFFD}");
    assert_eq!(case.attribute("name"), Some(expected.as_str()));
}

#[test]
fn names_that_would_be_markup_are_text_on_the_page() {
    let page = rendered("html", &hostile());
    assert!(!page.contains("<script>alert"), "a name became a script");
    let opened = page.matches("<script").count();
    assert_eq!((opened, page.matches("</script>").count()), (2, 2));
    let (_, data) = page.split_once("id=\"report\">").expect("the page has its data");
    let (data, _) = data.split_once("</script>").expect("it ends");
    let known: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(known["cells"][0]["strategy"], hostile().cells[0].strategy);
}

#[test]
fn an_annotation_is_one_line_whatever_it_says() {
    let told = rendered("github", &hostile());
    assert_eq!(told.lines().count(), 1, "{told}");
    let (properties, message) = told.split_once("title=").unwrap().1.split_once("::").unwrap();
    assert!(!properties.contains([',', ':']) && message.contains("%0A"), "{told}");
}

#[test]
fn many_failures_are_told_in_as_many_annotations_as_are_shown() {
    let failed = CellReport {
        judgement: lockproof_model::Judgement { status: Status::Failed, reasons: Vec::new() },
        ..fixture::paused().remove(0)
    };
    let told = rendered("github", &fixture::report(vec![failed; 25]));
    assert_eq!(told.lines().count(), 10);
    assert!(told.ends_with("and 16 more cells; again: lockproof run scenarios --seed 0x5eed\n"));
}

#[test]
fn every_row_of_csv_has_every_column() {
    let table = rendered("csv", &fixture::everything());
    let columns = table.lines().next().map(|line| line.split(',').count());
    for line in table.lines().filter(|line| !line.contains('"')) {
        assert_eq!(Some(line.split(',').count()), columns, "{line}");
    }
    assert!(table.ends_with("\r\n"));
}
