//! What the terminal can do.

use std::io::{self, IsTerminal, Write};

use lockproof_report::Style;

use crate::arguments::Color;
use crate::exit::{Exit, Failure};

/// How results look on stdout.
pub(crate) fn style(color: Color, verbose: u8) -> Style {
    let terminal = io::stdout().is_terminal();
    let set =
        |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto => set("CLICOLOR_FORCE") || (terminal && !is_dumb()),
    };
    Style { color, unicode: speaks_unicode(), width: columns(terminal), verbose: verbose > 0 }
}

/// Whether a bar may be drawn on stderr.
pub(crate) fn draws_bars() -> bool {
    io::stderr().is_terminal() && !is_dumb()
}

/// Writes an error to stderr. A closed stderr is nobody to tell.
pub(crate) fn error(what: &str) {
    drop(writeln!(io::stderr(), "lockproof: {what}"));
}

/// Log lines on stderr, the more of them the more often `-v` was given.
pub(crate) fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "error",
        1 => "lockproof=info,warn",
        _ => "lockproof=debug,info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOCKPROOF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second start would be a bug of tests, not of the program.
    drop(log.without_time().try_init());
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// The locale says UTF-8, or says nothing: then nearly every terminal of today speaks it.
fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn columns(terminal: bool) -> Option<u16> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
    told.or_else(|| terminal.then(asked).flatten()).filter(|columns| *columns > 0)
}

/// Writes an answer to stdout.
pub(crate) fn answer(text: &str) -> Result<Exit, Failure> {
    match writeln!(io::stdout(), "{text}") {
        // Whoever read as much as they wanted closed the pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Held),
        Err(error) => Err(Failure::infrastructure(format!("cannot write: {error}"))),
        Ok(()) => Ok(Exit::Held),
    }
}
