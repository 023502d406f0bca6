//! Locks in Postgres beside pgbench, and Redlock with a server that stands still; see the library's `database`.

fn main() -> std::process::ExitCode {
    lockproof_peers::database::main()
}
