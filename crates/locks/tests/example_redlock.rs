//! The example `redlock` runs to its end, on the redis model. (A file for each: they share a module.)

#[path = "../examples/redlock.rs"]
mod example;

#[test]
fn it_works_as_it_says() {
    example::main().expect("it works as it says");
}
