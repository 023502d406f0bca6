//! What is run, in which order, and what is left out and why.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::command::Command;
use super::engine::{Engine, NoEngine};
use super::interrupt::Interrupts;
use super::machine::Machine;
use super::servers::Server;
use super::{Ended, Options};
use crate::{Failure, image, say};

/// The step that servers are for.
const TESTS: &str = "tests";
const CONTAINERS: &str = "tests in containers";

/// Everything that has to pass.
#[derive(Debug)]
pub(super) struct Plan {
    steps: Vec<Step>,
    skipped: Vec<String>,
    /// The runner reads it while the steps are carried out.
    _runner_config: Option<NamedTempFile>,
}

#[derive(Debug, PartialEq, Eq)]
struct Step {
    name: &'static str,
    command: Command,
}

impl Plan {
    /// What `options` ask for, on this machine.
    ///
    /// # Errors
    /// A temporary file cannot be written.
    pub(super) fn new(
        options: &Options,
        machine: &Machine,
        missing: &[&Server],
        engine: Result<&Engine, &NoEngine>,
    ) -> Result<Self, Failure> {
        let mut plan = Self { steps: Vec::new(), skipped: Vec::new(), _runner_config: None };
        if options.no_lint {
            plan.skip("fmt and clippy (--no-lint)");
        } else {
            plan.step("fmt", Command::new("cargo", &["fmt", "--all", "--check"]));
            let clippy = ["clippy", "--workspace", "--all-targets", "--locked"];
            plan.step("clippy", Command::new("cargo", &clippy).args(["--", "-D", "warnings"]));
        }
        plan.tests(options, machine, missing)?;
        match engine {
            Ok(engine) if options.filters.is_empty() => {
                plan.step(CONTAINERS, in_containers(engine));
            }
            Ok(_) => plan.skip("tests in containers (only without filters)"),
            Err(NoEngine(why)) => plan.skip(format!("tests in containers ({why})")),
        }
        if options.filters.is_empty() {
            plan.step("doc tests", Command::new("cargo", &["test", "--workspace", "--doc"]));
        } else {
            plan.skip("doc tests (only without filters)");
        }
        if machine.is_ci() {
            let rustdoc = Command::new("cargo", &["doc", "--workspace", "--no-deps"]);
            plan.step("rustdoc", rustdoc.env("RUSTDOCFLAGS", "-Dwarnings"));
        } else {
            plan.skip("rustdoc (only with CI=true)");
        }
        Ok(plan)
    }

    fn step(&mut self, name: &'static str, command: Command) {
        self.steps.push(Step { name, command });
    }

    fn skip(&mut self, what: impl Into<String>) {
        self.skipped.push(what.into());
    }

    fn tests(
        &mut self,
        options: &Options,
        machine: &Machine,
        missing: &[&Server],
    ) -> Result<(), Failure> {
        for server in missing {
            self.skip(format!("tests that need {} (missing)", server.name));
        }
        let cargo_home = machine.variable("CARGO_HOME").map(|home| Path::new(home).join("bin"));
        let has_nextest = machine.on_path("cargo-nextest").is_some()
            || cargo_home.is_some_and(|bin| bin.join("cargo-nextest").is_file());
        let everything = if names_a_package(&options.filters) { None } else { Some("--workspace") };
        if !has_nextest {
            let command = Command::new("cargo", &["test"]).args(everything);
            let command = command.args(["--tests", "--lib", "--bins"]);
            self.step(TESTS, skipping(command.args(&options.filters), &options.filters, missing));
            return Ok(());
        }
        let mut command = Command::new("cargo", &["nextest", "run"]).args(everything);
        if machine.is_ci() {
            command = command.args(["--profile", "ci"]);
        }
        if !missing.is_empty() {
            let mut config = NamedTempFile::with_suffix(".toml")?;
            config.write_all(runner_config(missing).as_bytes())?;
            let path = config.path().display();
            command = command.args(["--tool-config-file".to_owned(), format!("xtask:{path}")]);
            self._runner_config = Some(config);
        }
        self.step(TESTS, command.args(&options.filters));
        Ok(())
    }

    /// Runs step after step up to the first that fails, tests with the URL of each database in a variable; the last line says what was run and what was not.
    ///
    /// # Errors
    /// A step cannot be started, or somebody wants this to end.
    pub(super) async fn carry_out(
        self,
        root: &Path,
        databases: &[(&'static str, &str)],
        interrupts: &mut Interrupts,
    ) -> Result<Ended, Failure> {
        let mut run = Vec::new();
        let mut left = self.steps.into_iter();
        while let Some(Step { name, command }) = left.next() {
            let mut placed = command.clone().in_directory(root);
            if name == TESTS {
                let named = databases.iter();
                placed = named.fold(placed, |placed, &(variable, url)| placed.env(variable, url));
            }
            let status = placed.run(interrupts).await?;
            if !status.success() {
                say(format_args!(
                    "\nxtask test: FAILED at {name}: `{command}` ended with {status}"
                ));
                let left: Vec<_> = left.map(|step| step.name).collect();
                say(format_args!("passed: {}; not run: {}", list(&run), list(&left)));
                return Ok(Ended::Failed);
            }
            run.push(name);
        }
        say(format_args!("\nxtask test: passed: {}; skipped: {}", list(&run), list(&self.skipped)));
        Ok(Ended::Passed)
    }
}

/// The tests in a module `container`, whose build has the provider of that name. By cargo alone, since so few need no
/// runner of their own.
fn in_containers(engine: &Engine) -> Command {
    let words = ["test", "-p", "lockproof-faults", "-p", "lockproof-rig"];
    let command = Command::new("cargo", &words);
    let command = command.args(["--features", "lockproof-rig/container", "--test", "*"]);
    let command = command.args(["--", "container::"]);
    let command = command.env("LOCKPROOF_REDIS_IMAGE", image::REDIS);
    let command = command.env("LOCKPROOF_POSTGRES_IMAGE", image::POSTGRES);
    match engine.host() {
        Some(host) => command.env("DOCKER_HOST", host),
        None => command,
    }
}

/// Then the whole workspace is not meant.
fn names_a_package(filters: &[String]) -> bool {
    let options = filters.iter().take_while(|filter| *filter != "--");
    let mut options = options.filter(|filter| filter.starts_with('-'));
    options.any(|option| {
        let is_short = option.starts_with("-p") && !option.starts_with("--");
        is_short || option == "--package" || option.starts_with("--package=")
    })
}

/// As the runner's own default, so that these tests are counted as skipped, and any filter applies on top.
///
/// Integration tests only: a module of that name in a crate is the code that talks to the server, and its unit tests
/// need none. It is an override for every platform, since the runner does not heed a tool's filter for a whole profile.
fn runner_config(missing: &[&Server]) -> String {
    let modules: Vec<_> = missing.iter().map(|server| server.module).collect();
    let pattern = format!("/(^|::)({})::/", modules.join("|"));
    format!(
        "[[profile.default.overrides]]\nplatform = 'cfg(all())'\n\
         default-filter = 'not (kind(test) & test({pattern}))'\n"
    )
}

/// The same for the test harness of cargo, which counts them as filtered out. It cannot tell unit tests apart.
fn skipping(command: Command, filters: &[String], missing: &[&Server]) -> Command {
    if missing.is_empty() {
        return command;
    }
    let separator = if filters.iter().any(|filter| filter == "--") { None } else { Some("--") };
    let skips =
        missing.iter().flat_map(|server| ["--skip".to_owned(), format!("{}::", server.module)]);
    command.args(separator).args(skips)
}

fn list<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::machine::tests::with_programs;
    use super::super::servers::SERVERS;
    use super::*;

    fn shown(filters: &[&str], programs: &[&str], ci: bool, missing: &[&Server]) -> Vec<String> {
        let (_folder, mut machine) = with_programs(programs);
        if ci {
            machine = machine.with("CI", "true");
        }
        let filters = filters.iter().map(|&filter| filter.to_owned()).collect();
        let none = NoEngine("none answers".to_owned());
        let options = Options { no_lint: false, filters };
        let plan = Plan::new(&options, &machine, missing, Err(&none)).unwrap();
        plan.steps.iter().map(|step| step.command.to_string()).collect()
    }

    #[test]
    fn in_ci_everything_is_run() {
        assert_eq!(
            shown(&[], &["cargo-nextest"], true, &[]),
            [
                "cargo fmt --all --check",
                "cargo clippy --workspace --all-targets --locked -- -D warnings",
                "cargo nextest run --workspace --profile ci",
                "cargo test --workspace --doc",
                "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps",
            ]
        );
    }

    #[test]
    fn containers_are_a_step_of_their_own() {
        let engine = Engine::named("unix:///run/docker.sock");
        let step = in_containers(&engine).to_string();
        assert!(step.contains("DOCKER_HOST=unix:///run/docker.sock"), "{step}");
        assert!(step.contains("--features lockproof-rig/container"), "{step}");
    }

    #[test]
    fn without_nextest_cargo_runs_the_tests() {
        let steps = shown(&[], &[], false, &[]);
        assert_eq!(steps[2], "cargo test --workspace --tests --lib --bins");
        assert_eq!(steps.len(), 4);
    }

    #[test]
    fn filters_reach_the_runner_and_a_package_replaces_the_workspace() {
        let steps = shown(&["-p", "lockproof-model", "lease"], &["cargo-nextest"], false, &[]);
        assert_eq!(steps[2..], ["cargo nextest run -p lockproof-model lease"]);
        let steps = shown(&["lease", "--", "-p"], &["cargo-nextest"], false, &[]);
        assert_eq!(steps[2..], ["cargo nextest run --workspace lease -- -p"]);
    }

    #[test]
    fn what_needs_a_missing_server_is_counted_as_skipped() {
        let missing: Vec<_> = SERVERS.iter().collect();
        let steps = shown(&[], &["cargo-nextest"], false, &missing);
        assert!(steps[2].contains(" --tool-config-file xtask:/"), "{}", steps[2]);
        assert_eq!(
            runner_config(&missing),
            "[[profile.default.overrides]]\nplatform = 'cfg(all())'\ndefault-filter = \
             'not (kind(test) & test(/(^|::)(redis_server|postgres|mariadb|etcd|zookeeper|chromium|python|node)::/))'\n"
        );
        let steps = shown(&[], &[], false, &missing);
        let skips = "-- --skip redis_server:: --skip postgres:: --skip mariadb:: --skip etcd:: \
                     --skip zookeeper:: --skip chromium:: --skip python:: --skip node::";
        assert_eq!(steps[2], format!("cargo test --workspace --tests --lib --bins {skips}"));
        let steps = shown(&["--", "--nocapture"], &[], false, &missing[..1]);
        assert!(steps[2].ends_with("-- --nocapture --skip redis_server::"), "{}", steps[2]);
    }
}
