//! The commands of Redis 7, and which of their words are keys.

use Keys::{Among, Counted, Streams};

/// Which words of a command are keys. The command itself is word 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// From the first to the last, every so many; a last one below zero counts from the end.
    Among {
        first: u32,
        last: i32,
        step: u32,
    },
    /// So many as this word says, after it; and the word before it, where `with_target`.
    Counted {
        count: u32,
        with_target: bool,
    },
    /// The first half of what follows the word STREAMS.
    Streams,
    None,
}

/// A command of Redis.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) keys: Keys,
}

/// No command's name is longer.
pub(crate) const LONGEST_NAME: usize = 24;

/// The command of that name, in whatever case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Command> {
    let mut upper = [0; LONGEST_NAME];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    let place = COMMANDS.binary_search_by(|command| command.name.as_bytes().cmp(upper)).ok()?;
    Some(&COMMANDS[place])
}

/// Every name, in alphabetical order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

impl Command {
    /// Whether it only sets up a connection, and asks for nothing.
    pub(crate) fn sets_up(&self) -> bool {
        matches!(self.name, "AUTH" | "CLIENT" | "HELLO" | "SELECT")
    }

    /// Whether replies are no longer one for each request once it was sent.
    pub(crate) fn ends_pairing(&self) -> bool {
        const PUSHING: [&str; 7] =
            ["MONITOR", "PSUBSCRIBE", "PSYNC", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUBSCRIBE", "SYNC"];
        PUSHING.contains(&self.name)
    }
}

const fn of(name: &'static str, keys: Keys) -> Command {
    Command { name, keys }
}

const NONE: Keys = Keys::None;
const FIRST: Keys = Among { first: 1, last: 1, step: 1 };
const SECOND: Keys = Among { first: 2, last: 2, step: 1 };
const THIRD: Keys = Among { first: 3, last: 3, step: 1 };
const BOTH: Keys = Among { first: 1, last: 2, step: 1 };
const ALL: Keys = Among { first: 1, last: -1, step: 1 };
const ALL_BUT_FIRST: Keys = Among { first: 2, last: -1, step: 1 };
const ALL_BUT_LAST: Keys = Among { first: 1, last: -2, step: 1 };
const PAIRS: Keys = Among { first: 1, last: -1, step: 2 };
const COUNTED: Keys = Counted { count: 1, with_target: false };
const COUNTED_SECOND: Keys = Counted { count: 2, with_target: false };
const COUNTED_AFTER_TARGET: Keys = Counted { count: 2, with_target: true };

/// As `COMMAND` of Redis 7.0 lists them.
const COMMANDS: &[Command] = &[
    of("ACL", NONE),
    of("APPEND", FIRST),
    of("ASKING", NONE),
    of("AUTH", NONE),
    of("BGREWRITEAOF", NONE),
    of("BGSAVE", NONE),
    of("BITCOUNT", FIRST),
    of("BITFIELD", FIRST),
    of("BITFIELD_RO", FIRST),
    of("BITOP", ALL_BUT_FIRST),
    of("BITPOS", FIRST),
    of("BLMOVE", BOTH),
    of("BLMPOP", COUNTED_SECOND),
    of("BLPOP", ALL_BUT_LAST),
    of("BRPOP", ALL_BUT_LAST),
    of("BRPOPLPUSH", BOTH),
    of("BZMPOP", COUNTED_SECOND),
    of("BZPOPMAX", ALL_BUT_LAST),
    of("BZPOPMIN", ALL_BUT_LAST),
    of("CLIENT", NONE),
    of("CLUSTER", NONE),
    of("COMMAND", NONE),
    of("CONFIG", NONE),
    of("COPY", BOTH),
    of("DBSIZE", NONE),
    of("DEBUG", NONE),
    of("DECR", FIRST),
    of("DECRBY", FIRST),
    of("DEL", ALL),
    of("DISCARD", NONE),
    of("DUMP", FIRST),
    of("ECHO", NONE),
    of("EVAL", COUNTED_SECOND),
    of("EVALSHA", COUNTED_SECOND),
    of("EVALSHA_RO", COUNTED_SECOND),
    of("EVAL_RO", COUNTED_SECOND),
    of("EXEC", NONE),
    of("EXISTS", ALL),
    of("EXPIRE", FIRST),
    of("EXPIREAT", FIRST),
    of("EXPIRETIME", FIRST),
    of("FAILOVER", NONE),
    of("FCALL", COUNTED_SECOND),
    of("FCALL_RO", COUNTED_SECOND),
    of("FLUSHALL", NONE),
    of("FLUSHDB", NONE),
    of("FUNCTION", NONE),
    of("GEOADD", FIRST),
    of("GEODIST", FIRST),
    of("GEOHASH", FIRST),
    of("GEOPOS", FIRST),
    of("GEORADIUS", FIRST),
    of("GEORADIUSBYMEMBER", FIRST),
    of("GEORADIUSBYMEMBER_RO", FIRST),
    of("GEORADIUS_RO", FIRST),
    of("GEOSEARCH", FIRST),
    of("GEOSEARCHSTORE", BOTH),
    of("GET", FIRST),
    of("GETBIT", FIRST),
    of("GETDEL", FIRST),
    of("GETEX", FIRST),
    of("GETRANGE", FIRST),
    of("GETSET", FIRST),
    of("HDEL", FIRST),
    of("HELLO", NONE),
    of("HEXISTS", FIRST),
    of("HGET", FIRST),
    of("HGETALL", FIRST),
    of("HINCRBY", FIRST),
    of("HINCRBYFLOAT", FIRST),
    of("HKEYS", FIRST),
    of("HLEN", FIRST),
    of("HMGET", FIRST),
    of("HMSET", FIRST),
    of("HRANDFIELD", FIRST),
    of("HSCAN", FIRST),
    of("HSET", FIRST),
    of("HSETNX", FIRST),
    of("HSTRLEN", FIRST),
    of("HVALS", FIRST),
    of("INCR", FIRST),
    of("INCRBY", FIRST),
    of("INCRBYFLOAT", FIRST),
    of("INFO", NONE),
    of("KEYS", NONE),
    of("LASTSAVE", NONE),
    of("LATENCY", NONE),
    of("LCS", BOTH),
    of("LINDEX", FIRST),
    of("LINSERT", FIRST),
    of("LLEN", FIRST),
    of("LMOVE", BOTH),
    of("LMPOP", COUNTED),
    of("LOLWUT", NONE),
    of("LPOP", FIRST),
    of("LPOS", FIRST),
    of("LPUSH", FIRST),
    of("LPUSHX", FIRST),
    of("LRANGE", FIRST),
    of("LREM", FIRST),
    of("LSET", FIRST),
    of("LTRIM", FIRST),
    of("MEMORY", SECOND),
    of("MGET", ALL),
    of("MIGRATE", THIRD),
    of("MODULE", NONE),
    of("MONITOR", NONE),
    of("MOVE", FIRST),
    of("MSET", PAIRS),
    of("MSETNX", PAIRS),
    of("MULTI", NONE),
    of("OBJECT", SECOND),
    of("PERSIST", FIRST),
    of("PEXPIRE", FIRST),
    of("PEXPIREAT", FIRST),
    of("PEXPIRETIME", FIRST),
    of("PFADD", FIRST),
    of("PFCOUNT", ALL),
    of("PFDEBUG", SECOND),
    of("PFMERGE", ALL),
    of("PFSELFTEST", NONE),
    of("PING", NONE),
    of("PSETEX", FIRST),
    of("PSUBSCRIBE", NONE),
    of("PSYNC", NONE),
    of("PTTL", FIRST),
    of("PUBLISH", NONE),
    of("PUBSUB", NONE),
    of("PUNSUBSCRIBE", NONE),
    of("QUIT", NONE),
    of("RANDOMKEY", NONE),
    of("READONLY", NONE),
    of("READWRITE", NONE),
    of("RENAME", BOTH),
    of("RENAMENX", BOTH),
    of("REPLCONF", NONE),
    of("REPLICAOF", NONE),
    of("RESET", NONE),
    of("RESTORE", FIRST),
    of("RESTORE-ASKING", FIRST),
    of("ROLE", NONE),
    of("RPOP", FIRST),
    of("RPOPLPUSH", BOTH),
    of("RPUSH", FIRST),
    of("RPUSHX", FIRST),
    of("SADD", FIRST),
    of("SAVE", NONE),
    of("SCAN", NONE),
    of("SCARD", FIRST),
    of("SCRIPT", NONE),
    of("SDIFF", ALL),
    of("SDIFFSTORE", ALL),
    of("SELECT", NONE),
    of("SET", FIRST),
    of("SETBIT", FIRST),
    of("SETEX", FIRST),
    of("SETNX", FIRST),
    of("SETRANGE", FIRST),
    of("SHUTDOWN", NONE),
    of("SINTER", ALL),
    of("SINTERCARD", COUNTED),
    of("SINTERSTORE", ALL),
    of("SISMEMBER", FIRST),
    of("SLAVEOF", NONE),
    of("SLOWLOG", NONE),
    of("SMEMBERS", FIRST),
    of("SMISMEMBER", FIRST),
    of("SMOVE", BOTH),
    of("SORT", FIRST),
    of("SORT_RO", FIRST),
    of("SPOP", FIRST),
    of("SPUBLISH", FIRST),
    of("SRANDMEMBER", FIRST),
    of("SREM", FIRST),
    of("SSCAN", FIRST),
    of("SSUBSCRIBE", ALL),
    of("STRLEN", FIRST),
    of("SUBSCRIBE", NONE),
    of("SUBSTR", FIRST),
    of("SUNION", ALL),
    of("SUNIONSTORE", ALL),
    of("SUNSUBSCRIBE", ALL),
    of("SWAPDB", NONE),
    of("SYNC", NONE),
    of("TIME", NONE),
    of("TOUCH", ALL),
    of("TTL", FIRST),
    of("TYPE", FIRST),
    of("UNLINK", ALL),
    of("UNSUBSCRIBE", NONE),
    of("UNWATCH", NONE),
    of("WAIT", NONE),
    of("WATCH", ALL),
    of("XACK", FIRST),
    of("XADD", FIRST),
    of("XAUTOCLAIM", FIRST),
    of("XCLAIM", FIRST),
    of("XDEL", FIRST),
    of("XGROUP", SECOND),
    of("XINFO", SECOND),
    of("XLEN", FIRST),
    of("XPENDING", FIRST),
    of("XRANGE", FIRST),
    of("XREAD", Streams),
    of("XREADGROUP", Streams),
    of("XREVRANGE", FIRST),
    of("XSETID", FIRST),
    of("XTRIM", FIRST),
    of("ZADD", FIRST),
    of("ZCARD", FIRST),
    of("ZCOUNT", FIRST),
    of("ZDIFF", COUNTED),
    of("ZDIFFSTORE", COUNTED_AFTER_TARGET),
    of("ZINCRBY", FIRST),
    of("ZINTER", COUNTED),
    of("ZINTERCARD", COUNTED),
    of("ZINTERSTORE", COUNTED_AFTER_TARGET),
    of("ZLEXCOUNT", FIRST),
    of("ZMPOP", COUNTED),
    of("ZMSCORE", FIRST),
    of("ZPOPMAX", FIRST),
    of("ZPOPMIN", FIRST),
    of("ZRANDMEMBER", FIRST),
    of("ZRANGE", FIRST),
    of("ZRANGEBYLEX", FIRST),
    of("ZRANGEBYSCORE", FIRST),
    of("ZRANGESTORE", BOTH),
    of("ZRANK", FIRST),
    of("ZREM", FIRST),
    of("ZREMRANGEBYLEX", FIRST),
    of("ZREMRANGEBYRANK", FIRST),
    of("ZREMRANGEBYSCORE", FIRST),
    of("ZREVRANGE", FIRST),
    of("ZREVRANGEBYLEX", FIRST),
    of("ZREVRANGEBYSCORE", FIRST),
    of("ZREVRANK", FIRST),
    of("ZSCAN", FIRST),
    of("ZSCORE", FIRST),
    of("ZUNION", COUNTED),
    of("ZUNIONSTORE", COUNTED_AFTER_TARGET),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_fits() {
        assert!(names().is_sorted());
        for command in COMMANDS {
            assert!(command.name.len() <= LONGEST_NAME);
            assert_eq!(find(command.name.to_ascii_lowercase().as_bytes()), Some(command));
        }
        assert_eq!(find(b"SETT"), None);
        assert_eq!(find(&[b'x'; 100]), None);
    }
}
