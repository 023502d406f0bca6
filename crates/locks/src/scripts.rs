//! The Lua scripts by which Redis compares and acts in one step.

use std::sync::LazyLock;

use redis::{Cmd, cmd};

/// A script whose digest is computed once.
pub(crate) struct Script {
    text: &'static str,
    digest: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, digest: redis::Script::new(text).get_hash().to_owned() }
    }

    /// A call, written once for however many servers it goes to.
    pub(crate) fn call<'a>(&'a self, keys: &'a [&'a str], arguments: &'a [&'a str]) -> Call<'a> {
        let by_digest = command("EVALSHA", &self.digest, keys, arguments);
        Call { script: self, keys, arguments, by_digest }
    }

    pub(crate) fn load(&self) -> Cmd {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Script").field(&self.digest).finish()
    }
}

/// A script with its keys and arguments.
pub(crate) struct Call<'a> {
    script: &'a Script,
    keys: &'a [&'a str],
    arguments: &'a [&'a str],
    by_digest: Cmd,
}

impl Call<'_> {
    pub(crate) const fn by_digest(&self) -> &Cmd {
        &self.by_digest
    }

    /// Loads the script as well, so that the next call may go by digest.
    pub(crate) fn by_text(&self) -> Cmd {
        command("EVAL", self.script.text, self.keys, self.arguments)
    }
}

fn command(name: &str, script: &str, keys: &[&str], arguments: &[&str]) -> Cmd {
    let words = keys.iter().chain(arguments);
    let bytes = words.fold(name.len() + script.len() + 1, |bytes, word| bytes + word.len());
    // Grown word by word, a command is moved five times before it is sent.
    let mut command = Cmd::with_capacity(3 + keys.len() + arguments.len(), bytes);
    command.arg(name).arg(script).arg(keys.len()).arg(keys).arg(arguments);
    command
}

/// KEYS: lock. ARGV: owner value. Compare and delete; 1 when it was the owner's.
pub(crate) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    )
});

/// KEYS: lock. ARGV: owner value. The same where a stamp stands behind the owner value.
pub(crate) static RELEASE_STAMPED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('GET', KEYS[1]) if value and string.sub(value, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    )
});

/// KEYS: lock. ARGV: owner value, TTL in ms. Compare and expire; 1 when it was the owner's. It never sets the
/// key, so it cannot resurrect a grant that ended (failure mode F41).
pub(crate) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0",
    )
});

/// KEYS: lock, fence. ARGV: owner value, TTL in ms. Takes the lock and draws its fencing token in one step;
/// nil when it is held. Two commands would let a holder that stalls between them draw a token younger than its
/// successor's.
pub(crate) static ACQUIRE_WITH_TOKEN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end return false",
    )
});

/// KEYS: lock, fence. Who has the lock, for how many ms, and the token last drawn, which is the holder's: the next is
/// drawn with the next grant. Nil when nobody has it.
pub(crate) static STANDING: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local owner = redis.call('GET', KEYS[1]) if not owner then return false end return {owner, redis.call('PTTL', KEYS[1]), redis.call('GET', KEYS[2])}",
    )
});

/// KEYS: lock. The same where no tokens are drawn: one key, which a cluster runs wherever it is.
pub(crate) static STANDING_PLAIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local owner = redis.call('GET', KEYS[1]) if not owner then return false end return {owner, redis.call('PTTL', KEYS[1]), false}",
    )
});

/// KEYS: lock. Deletes it whoever has it, and says who had.
pub(crate) static FORCE_RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local owner = redis.call('GET', KEYS[1]) if owner then redis.call('DEL', KEYS[1]) end return owner",
    )
});
