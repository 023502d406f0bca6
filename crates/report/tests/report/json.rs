use lockproof_model::RunReport;
use lockproof_report::{Settings, find};

use crate::fixture;

#[test]
fn a_report_survives_its_own_json() {
    let report = fixture::everything();
    let rendering = (find("json").expect("a rendering of that name").build)(&Settings::default());
    let mut out = Vec::new();
    rendering.render(&report, &mut out).unwrap();

    assert!(out.ends_with(b"}\n"));
    assert_eq!(serde_json::from_slice::<RunReport>(&out).unwrap(), report);
}
