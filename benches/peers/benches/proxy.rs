//! Our proxy beside the shortest one that there can be; see the library's `proxies`.

fn main() -> std::process::ExitCode {
    lockproof_peers::proxies::main()
}
