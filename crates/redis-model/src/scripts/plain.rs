//! Scripts that need no Lua machine: a few calls, comparisons and returns, as the scripts of locks are.
//!
//! Compare and delete takes the machine several times as long as the two commands that it calls, mostly to carry
//! words into it and out again; a simulated schedule runs such a script for every booking. So what is written in
//! this part of Lua is carried out as it stands:
//!
//! ```text
//! block  = {statement [";"]} ["return" [value] [";"]]
//! statement = "local" name "=" value | name "=" value | call
//!        | "if" value "then" block {"elseif" value "then" block} ["else" block] "end"
//! value  = value ("or" | "and" | "==" | "~=") value | "not" value | "(" value ")" | call | name
//!        | "KEYS" "[" digits "]" | "ARGV" "[" digits "]" | string | digits | "nil" | "true" | "false"
//! call   = "redis" "." "call" "(" string {"," value} ")"
//! ```
//!
//! It means what Lua says that it means, errors and their lines included; a property holds random scripts against the
//! machine. Whatever is not of this part, down to a command whose answer is a list, is left to the machine. Nothing
//! here can loop, so it needs no limit.

mod lexer;
mod machine;
mod parser;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::commands::{Command, Handler};
pub(super) use machine::{Door, Failed};

/// A script in the plain part of Lua.
#[derive(Debug)]
pub(super) struct Plain {
    block: Block,
    /// How many local variables are alive at one time, at most.
    locals: usize,
}

/// Statements one after the other.
#[derive(Debug, Default, PartialEq)]
struct Block(Vec<Statement>);

#[derive(Debug, PartialEq)]
enum Statement {
    Set { local: usize, value: Value },
    Call(Call),
    If { arms: Vec<(Value, Block)>, otherwise: Block },
    Return(Value),
}

#[derive(Debug, PartialEq)]
enum Value {
    Nil,
    Truth(bool),
    Number(f64),
    Text(Bytes),
    /// A word of `KEYS`, counted from 1.
    Key(usize),
    /// A word of `ARGV`, counted from 1.
    Argument(usize),
    Local(usize),
    Call(Box<Call>),
    Not(Box<Self>),
    Equal(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

/// `redis.call`, its command found already.
#[derive(Debug)]
struct Call {
    command: &'static Command,
    handler: Handler,
    words: Vec<Value>,
    /// Of its opening parenthesis, counted from 1, which is where Lua says that it is.
    line: u32,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.command.name == other.command.name
            && self.words == other.words
            && self.line == other.line
    }
}

impl Plain {
    /// Reads `source`, where it is in the plain part of Lua.
    pub(super) fn read(source: &[u8]) -> Option<Self> {
        parser::read(source)
    }

    /// Runs it: the value that it returns, as a script's client is told.
    pub(super) fn run(
        &self,
        keys: &[Bytes],
        arguments: &[Bytes],
        door: &mut Door<'_>,
    ) -> Result<crate::reply::Reply, Failed> {
        machine::run(self, keys, arguments, door)
    }
}
