//! `cargo bench -p lockproof-simulators`

use std::process::ExitCode;

/// The program's, and so everybody's here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lockproof_simulators::main()
}
