//! Builds the library that is preloaded into a server.
//!
//! A `cdylib` target of its own would lie beside the program and be missing after `cargo install`; built here, it goes
//! into the program itself.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=src/preload.rs");
    println!("cargo::rustc-check-cfg=cfg(preload)");
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let library = Path::new(&variable("OUT_DIR")).join("preload.so");
    if variable("CARGO_CFG_TARGET_OS") != "linux" {
        // Nothing to preload: the crate says so at run time.
        fs::write(&library, []).expect("OUT_DIR can be written");
        return;
    }
    let mut rustc = Command::new(variable("RUSTC"));
    rustc
        .args(["--crate-type", "cdylib", "--crate-name", "preload", "--edition", "2024"])
        .args(["--cfg", "preload", "--target", &variable("TARGET")])
        .args(["-C", "opt-level=2", "-C", "panic=abort", "-C", "strip=symbols"])
        .arg("-o")
        .arg(&library)
        .arg("src/preload.rs");
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={linker}"));
    }
    let status = rustc.status().expect("the compiler starts");
    assert!(status.success(), "the library that is preloaded does not build: {status}");
}
