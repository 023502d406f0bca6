use bytes::Bytes;
use lockproof_redis_model::{Options, Reply, ScriptLimits, Server, WallClock};

use crate::support::{Bench, show};

const COMPARE_AND_DELETE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

fn expect(exchanges: &[(&str, &str)]) {
    let mut bench = Bench::new();
    for (script, wanted) in exchanges {
        assert_eq!(show(&bench.eval(script)), *wanted, "{script}");
    }
}

/// As [`expect`], for errors that end with the place where they were raised.
fn expect_raised(exchanges: &[(&str, &str)]) {
    let mut bench = Bench::new();
    for (script, wanted) in exchanges {
        let shown = show(&bench.eval(script));
        let (text, place) = shown.split_once(" script: ").unwrap_or((&shown, ""));
        assert_eq!(text, *wanted, "{script}");
        assert!(place.ends_with(", on @user_script:1."), "{shown}");
    }
}

#[test]
fn a_lock_is_released_by_its_owner_only() {
    let mut bench = Bench::new();
    bench.run("SET lock me NX PX 1000");
    let sha = match bench.words(&["SCRIPT", "LOAD", COMPARE_AND_DELETE]) {
        Reply::Bulk(sha) => String::from_utf8_lossy(&sha).into_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(show(&bench.words(&["EVALSHA", &sha, "1", "lock", "you"])), ":0");
    assert_eq!(show(&bench.words(&["EVALSHA", &sha.to_uppercase(), "1", "lock", "me"])), ":1");
    bench.expect(&[("EXISTS lock", ":0")]);
}

#[test]
fn scripts_are_known_by_their_sha_until_flushed() {
    let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    let mut bench = Bench::new();
    let unknown = "-NOSCRIPT No matching script. Please use EVAL.";
    assert_eq!(show(&bench.run(&format!("EVALSHA {sha} 0"))), unknown);
    assert_eq!(show(&bench.run("EVALSHA abc 0")), unknown);
    assert_eq!(show(&bench.words(&["SCRIPT", "LOAD", "return 1"])), format!("{sha:?}"));
    assert_eq!(show(&bench.run(&format!("EVALSHA {sha} 0"))), ":1");
    assert_eq!(show(&bench.run(&format!("SCRIPT EXISTS {sha} abc"))), "[:1 :0]");
    bench.run("SCRIPT FLUSH");
    assert_eq!(show(&bench.run(&format!("EVALSHA {sha} 0"))), unknown);
}

#[test]
fn values_are_converted_by_redis_rules() {
    expect(&[
        ("return 3.99", ":3"),
        ("return -3.99", ":-3"),
        ("return 1e300", ":-9223372036854775808"),
        ("return true", ":1"),
        ("return false", "nil"),
        ("return nil", "nil"),
        ("return {1, 2, nil, 4}", "[:1 :2]"),
        (
            "return {1, {2, 'a', false}, {ok = 'fine'}, {err = 'X y'}}",
            "[:1 [:2 \"a\" nil] +fine -X y]",
        ),
        ("return {ok = 'a\\r\\nb'}", "+a  b"),
        ("return redis.status_reply('fine')", "+fine"),
        ("return redis.error_reply('MY error')", "-MY error"),
        ("return redis.error_reply('x')", "-ERR x"),
        ("return redis.call('get', 'nothing')", "nil"),
        ("return type(redis.call('get', 'nothing'))", "\"boolean\""),
        ("return redis.call('set', 'k', 'v').ok", "\"OK\""),
        ("return type(redis.call('incr', 'n'))", "\"number\""),
        ("return redis.call('echo', 3.5)", "\"3.5\""),
        ("return redis.call('echo', 12345678901234567)", "\"12345678901234568\""),
        ("return #redis.call('keys', '*')", ":2"),
        ("return redis.sha1hex('abc')", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""),
        ("return redis.pcall('nosuch').err", "\"ERR Unknown Redis command called from script\""),
        ("math.randomseed(7) return {math.random(1000), math.random(5, 10)}", "[:267 :9]"),
    ]);
    let mut bench = Bench::new();
    let counted =
        bench.words(&["EVAL", "return {#KEYS, #ARGV, KEYS[1], ARGV[2]}", "1", "k", "a", "b"]);
    assert_eq!(show(&counted), "[:1 :2 \"k\" \"b\"]");
}

#[test]
fn errors_name_the_script_and_the_line() {
    expect_raised(&[
        ("return redis.call('nosuch')", "-ERR Unknown Redis command called from script"),
        ("return redis.call('get')", "-ERR Wrong number of args calling Redis command from script"),
        ("return redis.call('set', 'a', 'b', 'c')", "-ERR syntax error"),
        (
            "return redis.call('eval', '', '0')",
            "-ERR This Redis command is not allowed from script",
        ),
        (
            "return redis.call()",
            "-ERR Please specify at least one argument for this redis lib call",
        ),
        (
            "return redis.call({})",
            "-ERR Lua redis lib command arguments must be strings or integers",
        ),
        ("error('x')", "-ERR user_script:1: x"),
        ("error({err = 'MY x'})", "-MY x"),
        ("error()", "-ERR nil"),
        ("local x; return x.y", "-ERR user_script:1: attempt to index local 'x' (a nil value)"),
        ("redis.log(9, 'x')", "-ERR Invalid debug level."),
    ]);
    let mut bench = Bench::new();
    let shown = show(&bench.eval("local x = 1\nredis.call('nosuch')"));
    assert!(shown.ends_with(", on @user_script:2."), "{shown}");
}

#[test]
fn pcall_gives_the_text_of_a_refusal() {
    expect(&[
        (
            "local ok, e = pcall(redis.call, 'nosuch') return {tostring(ok), e}",
            "[\"false\" \"ERR Unknown Redis command called from script\"]",
        ),
        ("local ok, e = pcall(error, {err = 'boo'}) return e", "\"boo\""),
        (
            "local ok, e = xpcall(function() redis.call('nosuch') end, function(e) return e.err end) return e",
            "\"ERR Unknown Redis command called from script\"",
        ),
        (
            "local c = coroutine.create(function() redis.call('nosuch') end) local ok, e = coroutine.resume(c) return e.err",
            "\"ERR Unknown Redis command called from script\"",
        ),
    ]);
}

#[test]
fn a_script_leaves_nothing_behind_and_finds_no_way_out() {
    const READONLY: &str = "-ERR user_script:1: Attempt to modify a readonly table";
    expect_raised(&[
        ("x = 1", READONLY),
        ("_G.x = 1", READONLY),
        ("redis.call = 1", READONLY),
        ("string.x = 1", READONLY),
        ("getmetatable('').__index = 1", READONLY),
        ("local x = rawset(_G, 'x', 1)", "-ERR Attempt to modify a readonly table"),
        ("local x = setmetatable(_G, {})", "-ERR Attempt to modify a readonly table"),
        ("local x = table.insert(_G, 1)", "-ERR Attempt to modify a readonly table"),
    ]);
    for name in ["x", "os", "io", "print", "require", "loadfile", "dofile", "debug", "getfenv"] {
        let wanted = format!(
            "-ERR user_script:1: Script attempted to access nonexistent global variable '{name}'"
        );
        expect_raised(&[(&format!("return {name}"), &wanted)]);
    }
    expect(&[
        ("return rawget(_G, 'x')", "nil"),
        ("return loadstring('return 1 + 1')()", ":2"),
        ("return select(2, loadstring('\\27Lua'))  ~= nil", ":1"),
        ("local t for k in pairs(redis) do if k == 'call' then t = k end end return t", "\"call\""),
    ]);
}

#[test]
fn scripts_that_do_not_parse_are_refused() {
    let wanted = "-ERR Error compiling script (new function): user_script:1: '=' expected near 'x'";
    let mut bench = Bench::new();
    assert_eq!(show(&bench.eval("x x")), wanted);
    assert_eq!(show(&bench.words(&["SCRIPT", "LOAD", "x x"])), wanted);
    assert!(show(&bench.eval("\u{1b}Lua")).starts_with("-ERR Error compiling script"));
}

#[test]
fn counts_of_keys_are_checked() {
    let mut bench = Bench::new();
    for (count, wanted) in [
        ("x", "-ERR value is not an integer or out of range"),
        ("-1", "-ERR Number of keys can't be negative"),
        ("1", "-ERR Number of keys can't be greater than number of args"),
    ] {
        assert_eq!(show(&bench.words(&["EVAL", "return 1", count])), wanted);
    }
}

#[test]
fn read_only_scripts_cannot_write() {
    let refusal = "-ERR Write commands are not allowed from read-only scripts.";
    let mut bench = Bench::new();
    let write = "return redis.call('set', 'k', 'v')";
    assert!(show(&bench.words(&["EVAL_RO", write, "0"])).starts_with(refusal));
    assert!(show(&bench.eval(&format!("#!lua flags=no-writes\n{write}"))).starts_with(refusal));
    assert_eq!(show(&bench.words(&["EVAL_RO", "return redis.call('get', 'k')", "0"])), "nil");
    assert_eq!(
        show(&bench.eval("#!lua flags=bogus\nreturn 1")),
        "-ERR Unexpected flag in script shebang: bogus"
    );
}

#[test]
fn a_script_selects_a_database_for_itself_only() {
    let mut bench = Bench::new();
    bench.eval("redis.call('select', 3) redis.call('set', 'k', 'v')");
    bench.expect(&[("GET k", "nil"), ("SELECT 3", "+OK"), ("GET k", "\"v\"")]);
}

#[test]
fn a_script_that_fails_half_way_keeps_what_it_wrote() {
    let mut bench = Bench::new();
    bench.eval("redis.call('set', 'k', 'v') error('x')");
    bench.expect(&[("GET k", "\"v\"")]);
}

#[test]
fn runaway_scripts_are_stopped_and_cannot_catch_it() {
    let scripts = ScriptLimits { instructions: 100_000, ..ScriptLimits::default() };
    let mut bench = Bench::with(Options { scripts, ..Options::default() });
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local function f() while true do pcall(f) end end f()",
    ] {
        let shown = show(&bench.eval(script));
        assert!(
            shown.starts_with("-ERR script exceeded the limit of 100000 instructions"),
            "{script}: {shown}"
        );
        assert_eq!(show(&bench.eval("return 1")), ":1");
    }
}

#[test]
fn greedy_scripts_run_out_of_memory_and_the_next_one_works() {
    let scripts = ScriptLimits { memory_bytes: 4 << 20, ..ScriptLimits::default() };
    let mut bench = Bench::with(Options { scripts, ..Options::default() });
    bench.words(&["SET", "large", &"x".repeat(100_000)]);
    for script in [
        "return string.rep('x', 1e8)",
        "local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = redis.call('get', 'large') .. #t end",
        "local t = {} while true do t[#t + 1] = redis.pcall('nosuch') end",
    ] {
        let shown = show(&bench.eval(script));
        assert!(shown.contains("not enough memory"), "{script}: {shown}");
        assert_eq!(show(&bench.eval("return string.rep('x', 5)")), "\"xxxxx\"");
    }
    let shown = show(&bench.words(&["EVAL", "return #ARGV[1]", "0", &"x".repeat(8 << 20)]));
    assert!(shown.contains("not enough memory"), "{shown}");
    bench.expect(&[("EXISTS large", ":1")]);
}

#[test]
fn scripts_without_end_in_number_are_refused_until_flushed() {
    let scripts = ScriptLimits { memory_bytes: 2 << 20, ..ScriptLimits::default() };
    let mut bench = Bench::with(Options { scripts, ..Options::default() });
    let refused = (0..100_000).find_map(|number| {
        let shown = show(&bench.words(&["SCRIPT", "LOAD", &format!("return {number}")]));
        shown.starts_with('-').then_some(shown)
    });
    assert!(refused.unwrap().contains("not enough memory"));
    bench.run("SCRIPT FLUSH");
    assert_eq!(show(&bench.eval("return 1")), ":1");
}

#[test]
fn replies_without_end_are_cut() {
    let mut bench = Bench::new();
    assert!(
        show(&bench.eval("local t = {} t[1] = t return t")).contains("reached lua stack limit")
    );
    let doubling = "local t = {1} for _ = 1, 60 do t = {t, t} end return t";
    assert_eq!(show(&bench.eval(doubling)), "-ERR script returned too many values");
    let shown = show(&bench.eval("local function f() return f() + 1 end return f()"));
    assert!(shown.contains("stack overflow"), "{shown}");
}

#[test]
fn a_server_that_starts_over_knows_no_script_and_no_key() {
    let mut server = Server::new(Options::default());
    let mut session = server.open_session();
    let now = WallClock::from_unix_millis(1);
    let words = |words: &[&str]| -> Vec<Bytes> {
        words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
    };
    let text = "return redis.call('SET', KEYS[1], 'v')";
    let eval = words(&["EVAL", text, "1", "k"]);
    let run = |server: &mut Server, session: &mut _, command: &[Bytes]| {
        server.execute(session, command, now).into_reply()
    };
    assert_eq!(run(&mut server, &mut session, &eval), Reply::OK);
    let Reply::Bulk(sha) = run(&mut server, &mut session, &words(&["SCRIPT", "LOAD", text])) else {
        panic!("SCRIPT LOAD names the script");
    };
    server.start_over();
    let mut session = server.open_session();
    let by_digest: Vec<Bytes> = [words(&["EVALSHA"]), vec![sha], words(&["1", "k"])].concat();
    let Reply::Error(error) = run(&mut server, &mut session, &by_digest) else {
        panic!("the script is forgotten");
    };
    assert!(error.starts_with(b"NOSCRIPT"), "{error:?}");
    assert_eq!(run(&mut server, &mut session, &words(&["DBSIZE"])), Reply::Integer(0));
    assert_eq!(run(&mut server, &mut session, &eval), Reply::OK);
    assert_eq!(run(&mut server, &mut session, &by_digest), Reply::OK);
}
