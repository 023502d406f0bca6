//! How text looks on a given terminal.

/// What a terminal can do, and how much its reader wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub color: bool,
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
    /// Columns of the terminal. The table leaves out its least important columns when they do not fit; `None`
    /// leaves out nothing, since nobody's screen is too narrow.
    pub width: Option<u16>,
    /// Whether every story is told.
    pub verbose: bool,
}

impl Style {
    /// Columns of text where the terminal does not say.
    const COLUMNS: u16 = 100;

    /// Columns that running text may take.
    pub(crate) fn columns(self) -> usize {
        usize::from(self.width.unwrap_or(Self::COLUMNS).max(40))
    }

    /// `text` in `ink`, where this terminal has colours.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if self.color && !text.is_empty() && ink != Ink::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code())
        } else {
            text.to_owned()
        }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, unicode: true, width: None, verbose: false }
    }
}

/// What a colour says. Colour never says it alone: a sign or a word stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it is.
    Plain,
    /// A name to find again.
    Heading,
    /// Read last.
    Faint,
    /// Safe.
    Good,
    /// Unsafe.
    Bad,
    /// To be looked at.
    Doubt,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Heading => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Doubt => "33",
        }
    }
}
