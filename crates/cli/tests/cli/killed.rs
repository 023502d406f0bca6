//! A run that is killed has told what happened until then, and `report` shows it.
//!
//! When it is killed is decided by what it has written, not by a clock.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lockproof_report::read_unfinished_history;
use serde_json::Value;

use crate::{Place, small, stderr, stdout};

/// Upper limit that ends a hang, and no more.
const POLLS: u32 = 3000;

const FAULT: &str = "[lock]\nttl = \"200ms\"\n[[fault]]\nkind = \"pause-holder\"\nat = \"after-acquire\"\nevery = 5\nfor = \"20ms\"\n";

/// A scenario that ends by itself, and one that goes on for a minute.
fn scenarios(place: &Place) {
    place.scenario("a-quick", &small(r#"["row-lock"]"#, ""));
    let endless = small(r#"["redis-set-nx"]"#, FAULT).replace("bookings = 16", "for = \"60s\"");
    place.scenario("b-endless", &endless.replace("slots = 4", "slots = 1000"));
}

pub(crate) struct Run {
    pub(crate) place: Place,
    pub(crate) child: Child,
}

impl Run {
    fn start() -> Self {
        let place = Place::new();
        scenarios(&place);
        let child = Command::new(env!("CARGO_BIN_EXE_lockproof"))
            .args(["run", "a-quick.toml", "b-endless.toml", "--jobs", "1", "--seed", "7"])
            .current_dir(place.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { place, child }
    }

    /// Its report directory, once there is one.
    fn directory(&self) -> Option<PathBuf> {
        let mut runs = std::fs::read_dir(self.place.path().join("reports")).ok()?;
        runs.next().map(|run| run.unwrap().path())
    }

    #[expect(clippy::disallowed_methods, reason = "waits for another process, in no run's time")]
    fn until(&mut self, what: &str, holds: impl Fn(&Path) -> bool) -> PathBuf {
        for _ in 0..POLLS {
            if let Some(directory) = self.directory().filter(|directory| holds(directory)) {
                return directory;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("still not: {what}");
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What `report` says of what is left, and that it says so of an interrupted run.
    fn report(&self, directory: &Path) -> Value {
        let shown = self.place.lockproof().arg("report").arg(directory).output().unwrap();
        assert_eq!(shown.status.code(), Some(3), "{}\n{}", stdout(&shown), stderr(&shown));
        assert!(stdout(&shown).contains("interrupted: "), "{}", stdout(&shown));
        let json = ["report", "--format", "json"];
        let json = self.place.lockproof().args(json).arg(directory).output().unwrap();
        let report: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(report["manifest"]["interrupted"], true);
        assert_eq!(report["manifest"]["seed"], 7);
        report
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn has_some(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

fn unfinished(directory: &Path) -> PathBuf {
    directory.join("histories/b-endless.redis-set-nx.unfinished.ndjson.zst")
}

/// Operations that whoever reads now is told of.
fn told(directory: &Path) -> usize {
    let path = unfinished(directory);
    if !path.exists() {
        return 0;
    }
    read_unfinished_history(&path).unwrap().map_or(0, |read| read.history.operations.len())
}

#[test]
fn as_soon_as_there_is_a_manifest_there_is_a_report() {
    let mut run = Run::start();
    let directory =
        run.until("it says where it comes from", |at| at.join("manifest.json").exists());
    run.kill();
    run.report(&directory);
}

#[test]
fn a_cell_that_ended_before_the_kill_is_reported_as_it_was_judged() {
    let mut run = Run::start();
    let directory = run.until("a cell has ended", |at| has_some(&at.join("cells.ndjson")));
    run.kill();
    let report = run.report(&directory);
    let cells = report["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2, "the one that had begun, or was still to, is not left out");
    assert_eq!(cells[0]["scenario"], "a-quick");
    assert_eq!(cells[0]["judgement"]["status"], "met");
    assert_eq!(cells[0]["attempts"], 16);
    assert_eq!(cells[1]["judgement"]["status"], "inconclusive");
    assert!(!directory.join("results.json").exists());
}

#[test]
fn nothing_that_was_told_before_the_kill_is_lost() {
    let mut run = Run::start();
    let directory = run.until("hundreds of operations are told of", |at| told(at) > 300);
    let before = told(&directory);
    run.kill();
    assert!(told(&directory) >= before);
    let report = run.report(&directory);
    let cell = &report["cells"][1];
    let reason = cell["judgement"]["reasons"][0].as_str().unwrap();
    let operations = told(&directory);
    let expected = format!("the run ended early, {operations} operations into it");
    assert!(reason.starts_with(&expected) && reason.contains("the table is lost"), "{reason}");
    assert!(cell["bookings"].as_u64().unwrap() > 10, "{cell}");
    assert!(cell["response"]["count"].as_u64().unwrap() > 10, "{cell}");
}

#[test]
fn injections_are_told_as_they_happen() {
    let mut run = Run::start();
    let faults = |at: &Path| std::fs::read_to_string(at.join("faults.ndjson")).unwrap_or_default();
    let directory = run.until("a fault is healed", |at| faults(at).contains(r#""bit":true"#));
    let before = faults(&directory).matches(r#""bit":true"#).count();
    run.kill();
    let report = run.report(&directory);
    let injections = report["cells"][1]["injections"].as_array().unwrap();
    let bit = injections.iter().filter(|injection| injection["bit"] == true).count();
    assert!(bit >= before, "{bit} of {before}");
    let summary = &report["cells"][1]["faults"][0];
    assert_eq!(summary["injected"].as_u64().unwrap(), u64::try_from(injections.len()).unwrap());
}

#[test]
fn what_is_shown_of_a_killed_run_can_be_kept() {
    let mut run = Run::start();
    let directory = run.until("something is told of", |at| told(at) > 100);
    run.kill();
    let kept = run.place.lockproof().arg("report").arg(directory).args(["--out", "kept"]).output();
    assert_eq!(kept.unwrap().status.code(), Some(3));
    let again = run.place.lockproof().args(["report", "kept"]).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "{}", stderr(&again));
    assert!(stdout(&again).contains("the run ended early"), "{}", stdout(&again));
}

#[test]
fn a_run_that_came_to_its_end_leaves_nothing_unfinished() {
    let place = Place::new();
    place.scenario("a-quick", &small(r#"["row-lock"]"#, ""));
    let ran = place.lockproof().args(["run", "a-quick.toml"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let latest = place.path().join("reports/latest");
    assert!(!latest.join("cells.ndjson").exists());
    let histories = std::fs::read_dir(latest.join("histories")).unwrap();
    let names: Vec<_> = histories.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a-quick.row-lock.ndjson.zst"]);
    let again = place.lockproof().args(["report", "reports/latest"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let table = |text: &str| text.split("report: ").next().map(ToOwned::to_owned);
    assert_eq!(table(&stdout(&again)), table(&stdout(&ran)), "it is shown as it was");
}

mod full {
    //! A disk that fills up while a run goes on: a small one of its own, for which one has to be root.

    use super::*;

    /// In memory, of so many bytes.
    struct Disk(PathBuf);

    impl Disk {
        fn mount(at: PathBuf) -> Option<Self> {
            std::fs::create_dir(&at).unwrap();
            let mount = ["-t", "tmpfs", "-o", "size=256k", "lockproof-test"];
            let mounted = Command::new("mount").args(mount).arg(&at).stderr(Stdio::null()).status();
            mounted.is_ok_and(|status| status.success()).then_some(Self(at))
        }
    }

    impl Drop for Disk {
        fn drop(&mut self) {
            drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a skip is said aloud")]
    fn a_disk_that_fills_up_is_told_of_and_loses_nothing_that_was_written() {
        let place = Place::new();
        let Some(disk) = Disk::mount(place.path().join("reports")) else {
            eprintln!("skipped: no small disk can be mounted here, which takes root");
            return;
        };
        scenarios(&place);
        let path = place.path().join("b-endless.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replace("\"60s\"", "\"4s\"")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_lockproof"))
            .args(["run", "b-endless.toml", "--seed", "7"])
            .current_dir(place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut run = Run { place, child };
        let directory = run.until("something is told of", |at| told(at) > 50);
        // Fills what is left, whatever that is.
        let filled = std::fs::write(disk.0.join("filler"), vec![0; 1 << 20]);
        assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        let before = told(&directory);
        let (stdout_of, stderr_of) = (run.child.stdout.take(), run.child.stderr.take());
        let code = run.child.wait().unwrap().code();
        let said = std::io::read_to_string(stderr_of.unwrap()).unwrap();
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("the report is incomplete: cannot write "), "{said}");
        assert!(said.contains("No space left on device"), "{said}");
        let shown = std::io::read_to_string(stdout_of.unwrap()).unwrap();
        assert!(shown.contains("redis-set-nx"), "the results are shown all the same: {shown}");
        assert!(told(&directory) >= before, "{} of {before}", told(&directory));
        run.report(&directory);
    }
}
