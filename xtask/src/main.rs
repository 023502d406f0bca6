//! `cargo xtask <task>`; what the tasks do is in the library.

use std::process::ExitCode;

use clap::Parser;
use xtask::test::{Ended, Options};
use xtask::{Failure, Tree, docs, image, root, say, test, tidy};

/// House keeping of the workspace
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
enum Task {
    /// Finds, installs or starts the servers that tests need, then lints and tests everything
    Test {
        /// Leave out formatting and clippy
        #[arg(long)]
        no_lint: bool,
        /// For the test runner: packages, names of tests
        #[arg(last = true, value_name = "FILTER")]
        filters: Vec<String>,
    },
    /// Holds the tree against the house rules (the test suite does so too)
    Tidy,
    /// Writes the generated tables of the documentation again
    Docs,
    /// Makes container images from this machine's own redis-server and Postgres, without a registry
    Image,
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Test { no_lint, filters } => run_tests(&Options { no_lint, filters }),
        Task::Tidy => run_tidy(),
        Task::Docs => run_docs(),
        Task::Image => make_images(),
    };
    outcome.unwrap_or_else(|failure| {
        say(format_args!("xtask: {failure}"));
        ExitCode::FAILURE
    })
}

fn run_tests(options: &Options) -> Result<ExitCode, Failure> {
    Ok(match test::run(root(), options)? {
        Ended::Passed => ExitCode::SUCCESS,
        Ended::Failed => ExitCode::FAILURE,
        Ended::Interrupted(code) => ExitCode::from(code),
    })
}

fn run_tidy() -> Result<ExitCode, Failure> {
    let findings = tidy::look_at(root())?;
    for note in &findings.notes {
        say(format_args!("note: {note}"));
    }
    for problem in &findings.problems {
        say(problem);
    }
    if findings.problems.is_empty() {
        say("tidy: every rule holds");
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("tidy: problems: {}", findings.problems.len()));
    Ok(ExitCode::FAILURE)
}

fn run_docs() -> Result<ExitCode, Failure> {
    let written = docs::write(&Tree::walk(root())?)?;
    for file in &written {
        say(format_args!("docs: {} written", file.display()));
    }
    if written.is_empty() {
        say("docs: every table was current");
    }
    Ok(ExitCode::SUCCESS)
}

fn make_images() -> Result<ExitCode, Failure> {
    image::make(None)?;
    say(format_args!(
        "use them: --provider container --redis-image {} --postgres-image {}",
        image::REDIS,
        image::POSTGRES
    ));
    Ok(ExitCode::SUCCESS)
}
