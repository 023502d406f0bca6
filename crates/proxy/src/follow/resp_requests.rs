//! Commands as a client of Redis sends them: arrays of bulk strings, or words on a line.

use super::redis_commands::{self, Command, Keys, LONGEST_NAME};
use super::{KeysRead, Request, Unreadable};

/// Redis itself refuses more words, …
const WORDS_MOST: u32 = 1024 * 1024;
/// … longer words …
const WORD_LONGEST: u32 = 512 * 1024 * 1024;
/// … and longer lines.
const LINE_LONGEST: usize = 64 * 1024;

/// Reads one command after the other.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    state: State,
    command: CommandRead,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Between,
    /// In `*3\r\n`.
    Count(Number),
    /// Where the `$` of the next word should be.
    Dollar,
    /// In `$5\r\n`.
    Length(Number),
    /// In a word, so many bytes of which are to come.
    Word(u32),
    /// In the CRLF after a word.
    Return,
    Feed,
    /// In a line, this far, and whether in a word of it.
    Line(usize, InLine),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InLine {
    Space,
    Word,
}

/// Digits up to CRLF.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number {
    value: u32,
    digits: u8,
    negative: bool,
    returned: bool,
}

impl Number {
    /// Takes one byte; the number once it is whole, below zero as none.
    pub(super) fn take(&mut self, byte: u8) -> Result<Option<Option<u32>>, Unreadable> {
        match byte {
            b'-' if self.digits == 0 && !self.negative => self.negative = true,
            b'0'..=b'9' if !self.returned && self.digits < 10 => {
                let digit = u32::from(byte - b'0');
                let shifted = self.value.checked_mul(10).and_then(|value| value.checked_add(digit));
                self.value = shifted.ok_or(Unreadable)?;
                self.digits += 1;
            }
            b'\r' if self.digits > 0 && !self.returned => self.returned = true,
            b'\n' if self.returned => {
                return Ok(Some((!self.negative).then_some(self.value)));
            }
            _ => return Err(Unreadable),
        }
        Ok(None)
    }
}

impl Requests {
    /// Reads to the end of the command, if that is here, and says how many bytes that was.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        let mut at = 0;
        while at < bytes.len() {
            if let State::Word(left) = self.state {
                at += self.word(&bytes[at..], left);
                continue;
            }
            let whole = self.byte(bytes[at])?;
            at += 1;
            if whole {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Reads a command that is no bytes yet; whether it was whole.
    pub(crate) fn read(&mut self, words: &[&[u8]]) -> bool {
        let word =
            |word: &&[u8]| [format!("${}\r\n", word.len()).as_bytes(), word, b"\r\n"].concat();
        let words_read = words.iter().map(word).collect::<Vec<_>>().concat();
        let bytes = [format!("*{}\r\n", words.len()).into_bytes(), words_read].concat();
        self.next(&bytes) == Ok(Some(bytes.len()))
    }

    /// The command that was read last.
    pub(crate) fn request(&self) -> Request<'_> {
        let known = self.command.known;
        Request {
            name: known.map_or("", |command| command.name),
            verb: None,
            keys: &self.command.keys,
            sets_up: known.is_some_and(Command::sets_up),
            begins: true,
            ends: true,
        }
    }

    /// Whether replies cannot be told apart after the command that was read last.
    pub(super) fn ends_pairing(&self) -> bool {
        self.command.known.is_some_and(Command::ends_pairing) || self.command.mutes
    }

    /// Whether a command has begun that is not whole.
    pub(super) const fn is_inside(&self) -> bool {
        !matches!(self.state, State::Between)
    }

    fn word(&mut self, bytes: &[u8], left: u32) -> usize {
        let here = bytes.len().min(left as usize);
        self.command.word_bytes(&bytes[..here]);
        let left = left - u32::try_from(here).unwrap_or(left);
        self.state = if left == 0 { State::Return } else { State::Word(left) };
        here
    }

    /// Takes a byte outside a word; whether the command is whole with it.
    fn byte(&mut self, byte: u8) -> Result<bool, Unreadable> {
        match &mut self.state {
            State::Between => {
                self.command.begin();
                match byte {
                    b'*' => self.state = State::Count(Number::default()),
                    _ => return self.line(byte, 0, InLine::Space),
                }
            }
            State::Count(number) => match number.take(byte)? {
                None => {}
                // An empty array is no command, and gets no reply.
                Some(None | Some(0)) => self.state = State::Between,
                Some(Some(count)) if count <= WORDS_MOST => {
                    self.command.total = Some(count);
                    self.state = State::Dollar;
                }
                Some(Some(_)) => return Err(Unreadable),
            },
            State::Dollar if byte == b'$' => self.state = State::Length(Number::default()),
            State::Length(number) => match number.take(byte)? {
                None => {}
                Some(Some(length)) if length <= WORD_LONGEST => {
                    self.command.word_begins(length as usize);
                    self.state = if length == 0 { State::Return } else { State::Word(length) };
                }
                Some(_) => return Err(Unreadable),
            },
            State::Return if byte == b'\r' => self.state = State::Feed,
            State::Feed if byte == b'\n' => {
                self.command.word_ends();
                let is_whole = self.command.total == Some(self.command.words);
                self.state = if is_whole { State::Between } else { State::Dollar };
                return Ok(is_whole);
            }
            State::Line(length, inside) => {
                let (length, inside) = (*length, *inside);
                return self.line(byte, length, inside);
            }
            State::Dollar | State::Return | State::Feed | State::Word(_) => return Err(Unreadable),
        }
        Ok(false)
    }

    fn line(&mut self, byte: u8, length: usize, inside: InLine) -> Result<bool, Unreadable> {
        let is_space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        // What no client of Redis would write: not to be taken for a command of many words.
        if length >= LINE_LONGEST || (byte < b' ' && !is_space) {
            return Err(Unreadable);
        }
        if is_space && inside == InLine::Word {
            self.command.word_ends();
        }
        if byte == b'\n' {
            self.state = State::Between;
            return Ok(self.command.words > 0); // an empty line gets no reply
        }
        if !is_space {
            if inside == InLine::Space {
                self.command.word_begins(1);
            }
            self.command.word_bytes(&[byte]);
        }
        let inside = if is_space { InLine::Space } else { InLine::Word };
        self.state = State::Line(length + 1, inside);
        Ok(false)
    }
}

/// What is known of the command under way.
#[derive(Debug, Default)]
struct CommandRead {
    /// Of an array; a line shows its end only there.
    total: Option<u32>,
    /// Words that are whole.
    words: u32,
    known: Option<&'static Command>,
    keys: KeysRead,
    /// How many keys there are, once the word that says so was read.
    counted: Option<u32>,
    /// The word STREAMS.
    streams: Option<u32>,
    /// `CLIENT REPLY`: replies will be missing.
    mutes: bool,
    /// The word under way, where it matters.
    word: Vec<u8>,
    use_of_word: Use,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Use {
    #[default]
    Nothing,
    Key,
    /// It is looked at once it is whole.
    Read,
}

impl CommandRead {
    fn begin(&mut self) {
        self.total = None;
        self.words = 0;
        self.known = None;
        self.keys.clear();
        self.counted = None;
        self.streams = None;
        self.mutes = false;
    }

    fn word_begins(&mut self, length: usize) {
        self.word.clear();
        self.use_of_word = if self.is_key() {
            if self.keys.begin(length) { Use::Key } else { Use::Nothing }
        } else if self.is_read() {
            Use::Read
        } else {
            Use::Nothing
        };
    }

    fn word_bytes(&mut self, bytes: &[u8]) {
        match self.use_of_word {
            Use::Nothing => {}
            Use::Key => self.keys.extend(bytes),
            Use::Read => {
                // One byte more than the longest that matters, so that a longer one is told from it.
                let room = (LONGEST_NAME + 1).saturating_sub(self.word.len());
                self.word.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
        }
    }

    fn word_ends(&mut self) {
        match self.use_of_word {
            Use::Nothing => {}
            Use::Key => self.keys.end(),
            Use::Read => self.read(),
        }
        self.words += 1;
    }

    fn read(&mut self) {
        let word = self.word.as_slice();
        match self.known {
            None if self.words == 0 => self.known = redis_commands::find(word),
            None => {}
            Some(Command { name: "CLIENT", .. }) => {
                self.mutes = word.eq_ignore_ascii_case(b"REPLY");
            }
            Some(Command { keys: Keys::Streams, .. }) => {
                let is_streams = word.eq_ignore_ascii_case(b"STREAMS");
                self.streams = is_streams.then_some(self.words);
            }
            Some(_) => {
                let digits = std::str::from_utf8(word).ok();
                self.counted = digits.and_then(|digits| digits.parse().ok());
            }
        }
    }

    fn is_read(&self) -> bool {
        let at = self.words;
        match self.known {
            None => at == 0,
            Some(Command { name: "CLIENT", .. }) => at == 1,
            Some(Command { keys: Keys::Streams, .. }) => self.streams.is_none(),
            Some(Command { keys: Keys::Counted { count, .. }, .. }) => at == *count,
            Some(_) => false,
        }
    }

    fn is_key(&self) -> bool {
        let (at, Some(known)) = (self.words, self.known) else { return false };
        match known.keys {
            Keys::None => false,
            Keys::Among { first, last, step } => {
                let last = match (u32::try_from(last), self.total) {
                    (Ok(last), _) => last,
                    // A line does not say how long it is; its keys are taken to go on to its end.
                    (Err(_), None) => u32::MAX,
                    (Err(_), Some(total)) => total.saturating_sub(last.unsigned_abs()),
                };
                (first..=last).contains(&at) && (at - first).is_multiple_of(step)
            }
            Keys::Counted { count, with_target } => {
                let is_counted = |keys: u32| at > count && at - count <= keys;
                (with_target && at == count - 1) || self.counted.is_some_and(is_counted)
            }
            Keys::Streams => match (self.streams, self.total) {
                (Some(streams), Some(total)) => {
                    at > streams && at - streams <= (total - streams - 1) / 2
                }
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of a command, written as words with blanks between them.
    fn keys(command: &str) -> Vec<String> {
        let mut requests = Requests::default();
        let words: Vec<_> = command.split(' ').map(str::as_bytes).collect();
        assert!(requests.read(&words), "{command}");
        let keys = requests.request().keys.iter();
        keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect()
    }

    #[test]
    fn keys_are_where_each_command_has_them() {
        let cases = [
            ("SET k v PX 5", "k"),
            ("ping k", ""),
            ("DEL a b c", "a b c"),
            ("MSET a 1 b 2", "a b"),
            ("BLPOP a b 0", "a b"),
            ("EVAL return 2 a b c", "a b"),
            ("evalsha 0 x", ""),
            ("ZUNIONSTORE to 2 a b WEIGHTS 1 2", "to a b"),
            ("ZDIFF 1 a WITHSCORES", "a"),
            ("XREAD COUNT 2 STREAMS a b 0 0", "a b"),
            ("OBJECT ENCODING a", "a"),
            ("BITOP AND to a b", "to a b"),
            ("EVAL return many a", ""),
        ];
        for (command, expected) in cases {
            assert_eq!(keys(command).join(" "), expected, "{command}");
        }
    }

    #[test]
    fn words_on_a_line_are_a_command_and_an_empty_line_is_none() {
        let mut requests = Requests::default();
        let line = b"\r\n\n  set  seat:1 x\r\nPING\n*0\r\n";
        let first = requests.next(line).unwrap().unwrap();
        assert_eq!(&line[..first], b"\r\n\n  set  seat:1 x\r\n");
        assert_eq!(requests.request().name, "SET");
        assert!(requests.request().keys.iter().eq([b"seat:1"]));
        assert_eq!(requests.next(&line[first..]), Ok(Some(5)));
        assert_eq!(requests.request().name, "PING");
        assert_eq!(requests.next(&line[first + 5..]), Ok(None));
        assert!(!requests.is_inside());
    }

    #[test]
    fn what_a_command_holds_is_bounded() {
        let mut requests = Requests::default();
        let word = vec![b'k'; super::super::KEYS_LIMIT + 1];
        assert!(requests.read(&[b"DEL", b"a", &word, b"b"]));
        assert!(requests.request().keys.iter().eq([b"a", b"b"]), "the long one is left out");
        for wrong in
            [&b"*1048577\r\n"[..], b"*1\r\n$536870913\r\n", b"*1\r\n$-1\r\n", b"*1\r\n:1\r\n"]
        {
            assert_eq!(Requests::default().next(wrong), Err(Unreadable));
        }
        assert_eq!(Requests::default().next(&vec![b'x'; LINE_LONGEST + 1]), Err(Unreadable));
    }
}
