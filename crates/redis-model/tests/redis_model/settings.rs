use crate::support::{Bench, show};

#[test]
fn a_password_is_asked_of_new_sessions() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("AUTH x", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"),
        ("AUTH default x", "+OK"),
        ("CONFIG SET requirepass secret", "+OK"),
        ("PING", "+PONG"),
    ]);
    bench.session = bench.server.open_session();
    bench.expect(&[
        ("PING", "-NOAUTH Authentication required."),
        ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."),
        ("AUTH other secret", "-WRONGPASS invalid username-password pair or user is disabled."),
        (
            "HELLO 3 AUTH default wrong",
            "-WRONGPASS invalid username-password pair or user is disabled.",
        ),
        ("PING", "-NOAUTH Authentication required."),
        ("AUTH secret", "+OK"),
        ("PING", "+PONG"),
        ("RESET", "+RESET"),
        ("GET k", "-NOAUTH Authentication required."),
    ]);
    assert!(show(&bench.run("HELLO 3")).starts_with("-NOAUTH HELLO must be called"));
    assert!(show(&bench.run("HELLO 3 AUTH default secret SETNAME me")).starts_with('{'));
    bench.expect(&[("CLIENT GETNAME", "\"me\"")]);
}

#[test]
fn config_knows_what_it_honours() {
    Bench::new().expect(&[
        ("CONFIG GET max*", "{\"maxmemory\"=\"0\" \"maxmemory-policy\"=\"noeviction\"}"),
        ("CONFIG SET maxmemory 0", "+OK"),
        (
            "CONFIG SET nosuch 1",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
        ),
        (
            "CONFIG SET requirepass a nosuch 1",
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
        ),
        ("CONFIG GET requirepass", "{\"requirepass\"=\"\"}"),
        ("CONFIG RESETSTAT", "+OK"),
    ]);
}

#[test]
fn wait_answers_what_the_rig_says() {
    let mut bench = Bench::new();
    bench.expect(&[("WAIT 1 0", ":0")]);
    bench.server.set_replicas(2);
    bench.expect(&[("WAIT 1 0", ":2")]);
}

#[test]
fn commands_are_described() {
    let mut bench = Bench::new();
    bench.expect(&[
        ("COMMAND INFO get nosuch", "[[\"get\" :2 ~[+readonly +fast] :1 :1 :1] nil]"),
        ("COMMAND DOCS get nosuch", "{\"get\"={\"arity\"=:2}}"),
    ]);
    assert!(
        show(&bench.run("COMMAND COUNT")).trim_start_matches(':').parse::<u32>().unwrap() > 100
    );
}
