//! `cargo xtask test`: first the servers that tests need, then everything that must pass.
//!
//! ```text
//!   servers: named in the environment ─▶ found ─▶ installed ─▶ or missing, said aloud (a failure with CI=true)
//!      │
//!      ▼
//!   a Postgres cluster and a MariaDB of the run's own, unless they are named; a container engine of its own, unless one answers
//!      │
//!      ▼
//!   fmt ─▶ clippy ─▶ tests ─▶ tests in containers ─▶ doc tests ─▶ rustdoc (CI)      stops at the first that fails
//! ```
//!
//! **Architecture invariant:** whatever way it ends, the servers are gone: they are dropped on every way out of [`run`],
//! Ctrl-C included, and after kill -9 the kernel signals them (where there is a parent-death signal).

use std::path::Path;

use tokio::runtime::Builder;

use crate::{Failure, say};

mod cluster;
mod command;
mod engine;
mod folder;
mod install;
mod interrupt;
mod machine;
mod mariadb;
mod plan;
mod servers;

use cluster::Cluster;
use engine::Engine;
use interrupt::Interrupts;
use machine::Machine;
use mariadb::Mariadb;
use plan::Plan;
use servers::{Absence, Database, MARIADB_URL, POSTGRES_URL, Place, Server};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Leaves out formatting and clippy.
    pub no_lint: bool,
    /// Passed on to the test runner.
    pub filters: Vec<String>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was run passed.
    Passed,
    /// Something did not, and was named.
    Failed,
    /// Somebody stopped it; the exit code that says so.
    Interrupted(u8),
}

/// Runs everything.
///
/// # Errors
/// It cannot begin: a server is missing in CI, or cannot be started.
pub fn run(root: &Path, options: &Options) -> Result<Ended, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen()?;
        match conduct(root, options, &mut interrupts).await {
            Err(failure) => match failure.downcast::<interrupt::Interrupted>() {
                Ok(interrupted) => {
                    say("xtask test: interrupted");
                    Ok(Ended::Interrupted(interrupted.exit_code))
                }
                Err(failure) => Err(failure),
            },
            ended => ended,
        }
    })
}

async fn conduct(
    root: &Path,
    options: &Options,
    interrupts: &mut Interrupts,
) -> Result<Ended, Failure> {
    let machine = with_servers(Machine::here(), interrupts).await?;
    let missing = report(&machine)?;
    let cluster = match servers::database(&machine, POSTGRES_URL) {
        Database::Named(url) => {
            interrupts.or(cluster::answers(&url)).await??;
            None
        }
        Database::Missing => None,
        Database::Found => {
            let cluster = interrupts.or(Cluster::start(&machine)).await??;
            say(format_args!("started Postgres for this run: {}", cluster.url()));
            Some(cluster)
        }
    };
    let mariadb = match servers::database(&machine, MARIADB_URL) {
        Database::Named(url) => {
            interrupts.or(mariadb::answers(&url)).await??;
            None
        }
        Database::Missing => None,
        Database::Found => {
            let mariadb = interrupts.or(Mariadb::start()).await??;
            say(format_args!("started MariaDB for this run: {}", mariadb.url()));
            Some(mariadb)
        }
    };
    let engine = Engine::find(&machine, &missing, interrupts).await?;
    let plan = Plan::new(options, &machine, &missing, engine.as_ref())?;
    let postgres = cluster.as_ref().map(|cluster| (POSTGRES_URL, cluster.url()));
    let mariadb = mariadb.as_ref().map(|mariadb| (MARIADB_URL, mariadb.url()));
    let databases: Vec<_> = postgres.into_iter().chain(mariadb).collect();
    plan.carry_out(root, &databases, interrupts).await
}

/// Installs what is absent, if it can; the machine is another one afterwards.
async fn with_servers(
    mut machine: Machine,
    interrupts: &mut Interrupts,
) -> Result<Machine, Failure> {
    let mut absent = servers::missing(&machine)?;
    absent.retain(|server| server.absence == Absence::Mended);
    if !absent.is_empty() {
        install::install(&machine, &absent, interrupts).await?;
        machine = Machine::here();
    }
    servers::put_on_path(&machine)?;
    Ok(machine)
}

/// Says which servers there are; what is missing is returned, and is said aloud.
fn report(machine: &Machine) -> Result<Vec<&'static Server>, Failure> {
    for server in servers::SERVERS {
        match server.place(machine)? {
            Some(Place::Named(name)) => say(format_args!("{}: {name}", server.name)),
            Some(Place::Program(path)) => say(format_args!("{}: {}", server.name, path.display())),
            None => say(format_args!(
                "{}: MISSING; integration tests in a module `{}` are SKIPPED (or name one: {})",
                server.name, server.module, server.variable
            )),
        }
    }
    let missing = servers::missing(machine)?;
    if missing.is_empty() {
        return Ok(missing);
    }
    say(format_args!("get what is missing: {}", install::remedy(machine, &missing)));
    if machine.is_ci() {
        let names: Vec<_> = missing.iter().map(|server| server.name).collect();
        return Err(format!("{} missing, and CI skips nothing", names.join(" and ")).into());
    }
    Ok(missing)
}
