//! `cargo bench -p lockproof-peers`

use std::process::ExitCode;

fn main() -> ExitCode {
    lockproof_peers::main()
}
