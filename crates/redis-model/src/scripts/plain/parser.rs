//! From words to what they mean, by Lua's own rules of precedence and scope.

use bytes::Bytes;

use super::lexer::{Token, tokens};
use super::{Block, Call, Plain, Statement, Value};
use crate::commands::{Run, find};

/// Values and blocks inside each other.
const DEEPEST: usize = 24;

/// Commands whose answers are words, numbers or nothing, whatever they are asked.
const COMMANDS: &[&str] = &[
    "get",
    "set",
    "setnx",
    "del",
    "unlink",
    "exists",
    "incr",
    "incrby",
    "decr",
    "decrby",
    "strlen",
    "getdel",
    "expire",
    "pexpire",
    "expireat",
    "pexpireat",
    "persist",
    "ttl",
    "pttl",
    "type",
    "hget",
    "hset",
    "hdel",
    "hexists",
    "hincrby",
    "hlen",
];

/// Words that are no names of variables.
const KEYWORDS: &[&[u8]] = &[
    b"and",
    b"break",
    b"do",
    b"else",
    b"elseif",
    b"end",
    b"false",
    b"for",
    b"function",
    b"if",
    b"in",
    b"local",
    b"nil",
    b"not",
    b"or",
    b"repeat",
    b"return",
    b"then",
    b"true",
    b"until",
    b"while",
];

/// Of the sandbox: a variable of that name would hide it.
const HOST: &[&[u8]] = &[b"redis", b"KEYS", b"ARGV"];

pub(super) fn read(source: &[u8]) -> Option<Plain> {
    let tokens = tokens(source)?;
    let mut parser = Parser { tokens: &tokens, scope: Vec::new(), locals: 0, depth: 0 };
    let block = parser.block()?;
    parser.tokens.is_empty().then_some(Plain { block, locals: parser.locals })
}

/// Each of its methods answers `None` where the source is not plain.
struct Parser<'a> {
    /// What is left.
    tokens: &'a [(Token, u32)],
    /// The names that can be seen, the innermost last; a name's place is its variable.
    scope: Vec<Bytes>,
    locals: usize,
    depth: usize,
}

impl Parser<'_> {
    fn block(&mut self) -> Option<Block> {
        let outer = self.scope.len();
        self.deeper()?;
        let mut statements = Vec::new();
        loop {
            if self.at_end_of_block() {
                break;
            }
            if self.word(b"return") {
                let value = if self.at_end_of_block() || self.peek_sign(";") {
                    // No value at all, of which a client hears as of nil.
                    Value::Nil
                } else {
                    self.value()?
                };
                self.sign(";");
                statements.push(Statement::Return(value));
                if !self.at_end_of_block() {
                    return None;
                }
                break;
            }
            statements.push(self.statement()?);
            self.sign(";");
        }
        self.scope.truncate(outer);
        self.depth -= 1;
        Some(Block(statements))
    }

    fn statement(&mut self) -> Option<Statement> {
        if self.word(b"if") {
            return self.condition();
        }
        if self.word(b"local") {
            let name = self.name()?;
            self.sign("=").then_some(())?;
            // Before the name can be seen: `local x = x` means the outer one.
            let value = self.value()?;
            self.scope.push(name);
            self.locals = self.locals.max(self.scope.len());
            return Some(Statement::Set { local: self.scope.len() - 1, value });
        }
        if let Some(call) = self.call()? {
            return Some(Statement::Call(call));
        }
        let name = self.name()?;
        let local = self.find(&name)?;
        self.sign("=").then_some(())?;
        Some(Statement::Set { local, value: self.value()? })
    }

    /// After `if`.
    fn condition(&mut self) -> Option<Statement> {
        let mut arms = Vec::new();
        loop {
            let value = self.value()?;
            self.word(b"then").then_some(())?;
            arms.push((value, self.block()?));
            if self.word(b"elseif") {
                continue;
            }
            let otherwise = if self.word(b"else") { self.block()? } else { Block::default() };
            self.word(b"end").then_some(())?;
            return Some(Statement::If { arms, otherwise });
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.deeper()?;
        let mut value = self.conjunction()?;
        while self.word(b"or") {
            value = Value::Or(Box::new(value), Box::new(self.conjunction()?));
        }
        self.depth -= 1;
        Some(value)
    }

    fn conjunction(&mut self) -> Option<Value> {
        let mut value = self.comparison()?;
        while self.word(b"and") {
            value = Value::And(Box::new(value), Box::new(self.comparison()?));
        }
        Some(value)
    }

    fn comparison(&mut self) -> Option<Value> {
        let mut value = self.negation()?;
        loop {
            let is_equal = self.sign("==");
            if !is_equal && !self.sign("~=") {
                return Some(value);
            }
            let equal = Value::Equal(Box::new(value), Box::new(self.negation()?));
            value = if is_equal { equal } else { Value::Not(Box::new(equal)) };
        }
    }

    fn negation(&mut self) -> Option<Value> {
        if self.word(b"not") {
            self.deeper()?;
            let value = Value::Not(Box::new(self.negation()?));
            self.depth -= 1;
            return Some(value);
        }
        self.simple()
    }

    fn simple(&mut self) -> Option<Value> {
        if self.sign("(") {
            let value = self.value()?;
            return self.sign(")").then_some(value);
        }
        if let Some(call) = self.call()? {
            return Some(Value::Call(Box::new(call)));
        }
        let ((token, _), rest) = self.tokens.split_first()?;
        let value = match token {
            Token::Text(text) => Value::Text(text.clone()),
            Token::Number(number) => Value::Number(*number),
            Token::Sign(_) => return None,
            Token::Name(name) => match &**name {
                b"nil" => Value::Nil,
                b"true" => Value::Truth(true),
                b"false" => Value::Truth(false),
                b"KEYS" => {
                    self.tokens = rest;
                    return self.index().map(Value::Key);
                }
                b"ARGV" => {
                    self.tokens = rest;
                    return self.index().map(Value::Argument);
                }
                _ => Value::Local(self.find(name)?),
            },
        };
        self.tokens = rest;
        // Called or indexed, it would be something else.
        let goes_on = matches!(self.tokens.first(), Some((Token::Text(_), _)))
            || ["(", "[", "."].iter().any(|sign| self.peek_sign(sign));
        (!goes_on).then_some(value)
    }

    /// `[digits]`
    fn index(&mut self) -> Option<usize> {
        self.sign("[").then_some(())?;
        let ((Token::Number(number), _), rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        self.sign("]").then_some(())?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "made of a few digits"
        )]
        let index = *number as usize;
        (!self.peek_sign("[") && !self.peek_sign(".")).then_some(index)
    }

    /// `redis.call(…)`, where that is what comes.
    #[expect(
        clippy::option_option,
        reason = "that something else comes, or that this is not plain"
    )]
    fn call(&mut self) -> Option<Option<Call>> {
        if !self.word(b"redis") {
            return Some(None);
        }
        (self.sign(".") && self.word(b"call")).then_some(())?;
        let line = self.tokens.first()?.1;
        self.sign("(").then_some(())?;
        self.deeper()?;
        let mut words = vec![self.value()?];
        while self.sign(",") {
            words.push(self.value()?);
        }
        self.sign(")").then_some(())?;
        self.depth -= 1;
        let Value::Text(name) = &words[0] else { return None };
        let command = find(name).filter(|command| COMMANDS.contains(&command.name))?;
        let Run::Handler(handler) = command.run else { return None };
        if !command.accepts(words.len()) {
            return None;
        }
        let goes_on = ["(", "[", "."].iter().any(|sign| self.peek_sign(sign))
            || matches!(self.tokens.first(), Some((Token::Text(_), _)));
        (!goes_on).then_some(Some(Call { command, handler, words, line }))
    }

    /// The name of a variable.
    fn name(&mut self) -> Option<Bytes> {
        let ((Token::Name(name), _), rest) = self.tokens.split_first()? else { return None };
        if KEYWORDS.contains(&&**name) || HOST.contains(&&**name) {
            return None;
        }
        self.tokens = rest;
        Some(name.clone())
    }

    fn find(&self, name: &Bytes) -> Option<usize> {
        self.scope.iter().rposition(|known| known == name)
    }

    fn at_end_of_block(&self) -> bool {
        match self.tokens.first() {
            None => true,
            Some((Token::Name(name), _)) => matches!(&**name, b"end" | b"else" | b"elseif"),
            Some(_) => false,
        }
    }

    /// Takes `word`, where it comes.
    fn word(&mut self, word: &[u8]) -> bool {
        self.take(|token| matches!(token, Token::Name(name) if name == word))
    }

    /// Takes `sign`, where it comes.
    fn sign(&mut self, sign: &str) -> bool {
        self.take(|token| matches!(token, Token::Sign(known) if *known == sign))
    }

    fn take(&mut self, is_it: impl Fn(&Token) -> bool) -> bool {
        match self.tokens.split_first() {
            Some(((token, _), rest)) if is_it(token) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn peek_sign(&self, sign: &str) -> bool {
        matches!(self.tokens.first(), Some((Token::Sign(known), _)) if *known == sign)
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain(source: &str) -> bool {
        read(source.as_bytes()).is_some()
    }

    #[test]
    fn the_scripts_of_locks_are_plain() {
        for source in [
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
            "if redis.call(\"get\",KEYS[1]) == ARGV[1] then\n return redis.call(\"del\",KEYS[1])\nelse\n return 0\nend",
            "local token = redis.call('get', KEYS[1])\nif not token or token ~= ARGV[1] then\n return 0\nend\n\
             redis.call('del', KEYS[1])\nreturn 1",
            "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end \
             return false",
        ] {
            assert!(is_plain(source), "{source}");
        }
    }

    #[test]
    fn everything_else_is_the_machines() {
        for source in [
            "return redis.pcall('GET', KEYS[1])",
            "return redis.call('LRANGE', KEYS[1], 0, -1)",
            "return redis.call('GET')",
            "return redis.call(ARGV[1], KEYS[1])",
            "return redis.call('NOSUCH', KEYS[1])",
            "x = 1 return x",
            "local redis = 1 return 2",
            "local end = 1",
            "return 1 return 2",
            "return unknown",
            "return KEYS",
            "return KEYS[1][1]",
            "return KEYS[ARGV[1]]",
            "return ('x').y",
            "return redis.call('GET', KEYS[1]).ok",
            "local x, y = 1, 2",
            "local x return x",
            "for i = 1, 2 do end",
            "return 1 + 1",
            "if true then return 1",
            "return 1, 2",
        ] {
            assert!(!is_plain(source), "{source}");
        }
    }

    #[test]
    fn a_variable_is_seen_in_its_block_alone() {
        assert!(is_plain("local x = 1 if x == 1 then local y = x x = y end return x"));
        assert!(!is_plain("if true then local y = 1 end return y"));
        assert!(!is_plain("local x = x return x"));
    }

    #[test]
    fn what_nests_too_deep_is_the_machines() {
        let nested = |depth: usize| format!("return {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(is_plain(&nested(20)));
        assert!(!is_plain(&nested(200)));
    }
}
