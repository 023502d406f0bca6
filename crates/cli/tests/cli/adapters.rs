//! Locks that programs speak for, as a user meets them: what is refused, what befalls a program with its holder, what is
//! left of it, and what becomes of the locks of other people under faults.

mod programs;
mod shipped;

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{Place, small, stderr, stdout};

/// A lock by `mkdir`, which has no lease: nothing that is measured here, only how it is started and ended.
const BY_MKDIR: &str = r#"#!/bin/sh
mkdir -p locks
echo '{"protocol":1,"name":"mkdir","version":"1","renews":false,"fences":false,"ttl_granularity_ms":1}'
while read -r line; do
    id=${line#*'"id":'} && id=${id%%,*}
    lock=${line#*'"lock":"'} && lock=locks/${lock%%'"'*}
    owner=${line#*'"owner":"'} && owner=${owner%%'"'*}
    case $line in
        *'"open"'*) answer=opened ;;
        *'"acquire"'*) if mkdir "$lock" 2>/dev/null; then touch "$lock/$owner"; answer=granted; else answer=held; fi ;;
        *'"release"'*) if rm "$lock/$owner" 2>/dev/null; then rmdir "$lock"; answer=released; else answer=lost; fi ;;
        *) rm "$lock/$owner" 2>/dev/null && rmdir "$lock"; answer=withdrawn ;;
    esac
    echo "{\"id\":$id,\"answer\":\"$answer\"}"
done
"#;

/// The same below a shell that only waits for it.
const BELOW_A_SHELL: &str = "#!/bin/sh\nsh ./lock.sh\nexit $?\n";

/// A place with both, and a manifest of each that says that no Redis is needed.
fn place() -> Place {
    let place = Place::new();
    for (name, script) in [("lock", BY_MKDIR), ("below", BELOW_A_SHELL)] {
        let path = place.path().join(format!("{name}.sh"));
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(place.path().join(name)).unwrap();
        let manifest = format!("command = [\"../{name}.sh\"]\nredis = 0\nrenews = false\n");
        std::fs::write(place.path().join(name).join("adapter.toml"), manifest).unwrap();
    }
    place
}

fn results(place: &Place) -> Value {
    let results = std::fs::read(place.path().join("reports/latest/results.json")).unwrap();
    serde_json::from_slice(&results).unwrap()
}

#[test]
fn what_cannot_be_started_is_refused_before_anything_starts() {
    let place = place();
    let scenario = place.scenario("a", &small(r#"["redis-set-nx"]"#, ""));
    for (strategy, why) in [
        ("external:nowhere/lock.py", "a path is relative to the working directory"),
        ("external", "is followed by a program"),
        ("external:lock.sh+fencing", "tokens = true"),
        ("external:lock.sh+uniqe", "did you mean `unique`?"),
    ] {
        let output =
            place.lockproof().arg("run").arg(&scenario).args(["--strategy", strategy]).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(why), "{strategy}: {}", stderr(&output));
    }
    assert!(!place.path().join("reports").exists());
}

#[test]
fn a_search_leaves_programs_out_aloud_and_refuses_to_search_them_alone() {
    let place = place();
    let both = place.scenario("both", &small(r#"["redis-set-nx", "external:lock"]"#, ""));
    let output =
        place.lockproof().arg("explore").arg(&both).args(["--seeds", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let why = "external:lock is live only: its lock is a program by itself";
    assert!(stderr(&output).contains(why), "{}", stderr(&output));
    assert!(!stdout(&output).contains("external:lock"), "{}", stdout(&output));
    let alone = place.scenario("alone", &small(r#"["external:lock"]"#, ""));
    for command in [["explore"].as_slice(), &["run", "--world", "sim"]] {
        let output = place.lockproof().args(command).arg(&alone).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(
            stderr(&output).contains(&format!("{why}; use lockproof run")),
            "{}",
            stderr(&output)
        );
    }
}

/// Whether holders are tasks or processes: the kernel shows that both stood still, and went on.
#[test]
fn a_program_stands_still_and_dies_with_its_holder() {
    for holders in ["tasks", "processes"] {
        for (kind, proof) in
            [("pause-holder", "its adapter, process "), ("kill-holder", "signal: 9")]
        {
            let place = place();
            let fault = format!(
                "[[fault]]\nkind = \"{kind}\"\nat = \"after-release\"\nevery = 3\nfor = \"30ms\"\n[require]\ncontended = 0\n"
            );
            let text = small(r#"["external:below"]"#, &fault);
            let text =
                text.replace("holders = 4", &format!("holders = 4\nholders-as = \"{holders}\""));
            let scenario = place.scenario("stands", &text);
            let output = place.lockproof().arg("run").arg(&scenario).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
            let results = results(&place);
            let injections = results["cells"][0]["injections"].as_array().unwrap();
            assert!(!injections.is_empty());
            for injection in injections {
                let observed = injection["observed"].as_str().unwrap();
                assert_eq!(injection["bit"], true, "{injection}");
                assert!(observed.contains(proof), "{holders}, {kind}: {observed}");
                if kind == "pause-holder" {
                    assert!(observed.contains(" after SIGCONT at "), "{holders}: {observed}");
                }
            }
        }
    }
}

/// The program at work on a load that stands still, in the place of its scenario.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn no_program_outlives_a_killed_run_not_even_one_below_a_shell_that_stands_still() {
    for holders in ["tasks", "processes"] {
        let place = place();
        let pause =
            "[[fault]]\nkind = \"pause-holder\"\nat = \"after-acquire\"\nevery = 2\nfor = \"1h\"\n";
        let text = small(r#"["external:below"]"#, pause);
        let text = text
            .replace("bookings = 16", &format!("for = \"60s\"\nholders-as = \"{holders}\""))
            .replace("slots = 4", "slots = 4\ncapacity = 1000");
        let scenario = place.scenario("endless", &text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockproof"));
        command.arg("run").arg(&scenario).current_dir(place.path());
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running(command.spawn().unwrap());
        let here = place.path().canonicalize().unwrap();
        let theirs = || programs::in_directory(&here, "sh");
        while theirs().iter().filter(|(_, state)| *state == 'T').count() < 2 {
            assert!(running.0.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        assert!(theirs().len() >= 8, "four holders, two shells each: {:?}", theirs());
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        while !theirs().is_empty() {
            std::thread::yield_now();
        }
    }
}
