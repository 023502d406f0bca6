use std::fmt;
use std::path::PathBuf;

/// Something that is against the house rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, from the root of the workspace.
    pub file: PathBuf,
    /// The line, where there is one to point at.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// One that concerns a file as a whole.
    pub(crate) fn of(
        file: impl Into<PathBuf>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), line: None, what: what.into(), remedy: remedy.into() }
    }

    /// The same, at a line.
    pub(crate) fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}\n    remedy: {}", self.what, self.remedy)
    }
}
