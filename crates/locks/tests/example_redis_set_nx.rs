//! The example `redis_set_nx` runs to its end, on the redis model. (A file for each: they share a module.)

#[path = "../examples/redis_set_nx.rs"]
mod example;

#[test]
fn it_works_as_it_says() {
    example::main().expect("it works as it says");
}
