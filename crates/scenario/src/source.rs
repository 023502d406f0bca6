//! The text of a file, and where in it things are.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Something wrong with a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Line, counted from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column, counted in characters from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path.display(), self.what)
        } else {
            write!(f, "{}:{}:{}: {}", self.path.display(), self.line, self.column, self.what)
        }
    }
}

/// Everything wrong with a scenario, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A file being read. Problems are collected rather than returned, so that one run shows them all.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, problems: RefCell::default() }
    }

    pub(crate) fn problem(&self, span: &Range<usize>, what: impl Into<String>) {
        let (line, column) = self.position(span.start);
        let problem = Problem { path: self.path.to_owned(), line, column, what: what.into() };
        self.problems.borrow_mut().push((span.start, problem));
    }

    /// A problem at a place that is known by its line and column.
    pub(crate) fn problem_in(&self, line: usize, column: usize, what: impl Into<String>) {
        let start: usize =
            self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let before = self.text[start..].chars().take(column.saturating_sub(1));
        let at = start + before.map(char::len_utf8).sum::<usize>();
        self.problem(&(at..at), what);
    }

    pub(crate) fn problems(&self) -> Option<Problems> {
        let mut problems = self.problems.take();
        if problems.is_empty() {
            return None;
        }
        problems.sort_by_key(|(at, _)| *at);
        Some(Problems(problems.into_iter().map(|(_, problem)| problem).collect()))
    }

    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}
