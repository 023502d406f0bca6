//! Rules of Rust sources: short files, no `mod.rs`, no unsafe code, nothing put off without an issue.

use std::io;
use std::path::Path;

use super::rust_text::Views;
use crate::{Problem, Tree};

/// Nobody keeps more in mind than this.
const LINES_MAX: usize = 700;
/// From here on a file is worth a look.
const LINES_NOTED: usize = 500;
/// The one crate that replaces a C function, and cannot do so otherwise.
const UNSAFE_ROOM: &str = "crates/clock-shim";

/// Looks at every Rust file of the tree; notes are files that grow long.
pub(super) fn check(tree: &Tree) -> io::Result<(Vec<Problem>, Vec<String>)> {
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    for file in tree.with_extension("rs") {
        let source = tree.read(file)?;
        problems.extend(name(file));
        match source.lines().count() {
            lines if lines > LINES_MAX => problems.push(too_long(file, lines)),
            lines if lines > LINES_NOTED => {
                notes.push(format!("{}: {lines} lines, of {LINES_MAX} at most", file.display()));
            }
            _ => {}
        }
        problems.extend(text(file, &source));
    }
    Ok((problems, notes))
}

fn name(file: &Path) -> Option<Problem> {
    let folder = file.parent().filter(|_| file.ends_with("mod.rs"))?;
    let remedy = format!("move it to {}.rs, beside the folder", folder.display());
    Some(Problem::of(file, "a module in mod.rs", remedy))
}

fn too_long(file: &Path, lines: usize) -> Problem {
    let what = format!("{lines} lines, and {LINES_MAX} are the most that a file may have");
    Problem::of(file, what, "take a module out of it")
}

fn text(file: &Path, source: &str) -> Vec<Problem> {
    let views = Views::of(source);
    let mut problems = Vec::new();
    for (at, line) in views.code.lines().enumerate() {
        problems.extend(code(file, line).map(|problem| problem.at(at + 1)));
    }
    for (at, line) in views.comments.lines().enumerate() {
        problems.extend(comment(file, line).map(|problem| problem.at(at + 1)));
    }
    problems
}

fn code(file: &Path, line: &str) -> Option<Problem> {
    if has_word(line, "unsafe") && !file.starts_with(UNSAFE_ROOM) {
        let remedy = format!("do without; only {UNSAFE_ROOM} may");
        return Some(Problem::of(file, "unsafe code", remedy));
    }
    if line.contains("#[ignore") {
        let remedy = "choose trials by capability, say why one is skipped, or delete the test";
        return Some(Problem::of(file, "an ignored test proves nothing", remedy));
    }
    if line.contains("todo!(") {
        return Some(Problem::of(file, "an unfinished function", "finish it, or leave it out"));
    }
    None
}

fn comment(file: &Path, line: &str) -> Option<Problem> {
    if has_word(line, "FIXME") {
        return Some(Problem::of(file, "a FIXME", "fix it, or open an issue: TODO(#issue)"));
    }
    if has_word(line, "TODO") && !names_an_issue(line) {
        return Some(Problem::of(file, "a TODO without an issue", "write TODO(#issue)"));
    }
    None
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word)
    })
}

fn names_an_issue(line: &str) -> bool {
    line.split('#').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::planted;

    fn found(file: &str, source: &str) -> Vec<(String, Option<usize>)> {
        let (_folder, tree) = planted(&[(file, source)]);
        let (problems, _) = check(&tree).unwrap();
        problems.into_iter().map(|problem| (problem.what, problem.line)).collect()
    }

    fn one(what: &str, line: usize) -> Vec<(String, Option<usize>)> {
        vec![(what.to_owned(), Some(line))]
    }

    #[test]
    fn mod_rs_is_rejected() {
        let (_folder, tree) = planted(&[("crates/a/src/b/mod.rs", "")]);
        let (problems, _) = check(&tree).unwrap();
        assert_eq!(problems[0].what, "a module in mod.rs");
        assert_eq!(problems[0].remedy, "move it to crates/a/src/b.rs, beside the folder");
        assert_eq!(found("crates/a/src/my_mod.rs", ""), []);
    }

    #[test]
    fn a_long_file_is_noted_and_a_longer_one_rejected() {
        let file = "crates/a/src/lib.rs";
        let (_folder, tree) = planted(&[(file, &"\n".repeat(700))]);
        let (problems, notes) = check(&tree).unwrap();
        assert_eq!(problems, []);
        assert_eq!(notes, ["crates/a/src/lib.rs: 700 lines, of 700 at most"]);
        let problems = found(file, &"\n".repeat(701));
        assert_eq!(problems[0].0, "701 lines, and 700 are the most that a file may have");
        let (_folder, tree) = planted(&[(file, &"\n".repeat(500))]);
        assert_eq!(check(&tree).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn unsafe_code_is_rejected_outside_its_room() {
        let source = "// unsafe, in words\nfn f() { unsafe { g() } }\n";
        assert_eq!(found("crates/a/src/lib.rs", source), one("unsafe code", 2));
        assert_eq!(found("crates/clock-shim/src/lib.rs", source), []);
        assert_eq!(
            found("crates/a/src/lib.rs", "#![expect(unsafe_code)]\nlet s = \"unsafe\";"),
            []
        );
    }

    #[test]
    fn an_ignored_test_is_rejected() {
        let what = "an ignored test proves nothing";
        assert_eq!(found("crates/a/src/lib.rs", "#[test]\n#[ignore]\nfn f() {}"), one(what, 2));
        assert_eq!(found("crates/a/src/lib.rs", "#[ignore = \"slow\"]\nfn f() {}"), one(what, 1));
    }

    #[test]
    fn what_is_unfinished_is_rejected() {
        let file = "crates/a/src/lib.rs";
        assert_eq!(found(file, "fn f() { todo!() }"), one("an unfinished function", 1));
        assert_eq!(found(file, "\n// FIXME: this\n"), one("a FIXME", 2));
    }

    #[test]
    fn a_todo_needs_an_issue() {
        let file = "crates/a/src/lib.rs";
        assert_eq!(found(file, "/// TODO: later"), one("a TODO without an issue", 1));
        assert_eq!(found(file, "/// TODO(#12): later"), []);
        assert_eq!(found(file, "let a = \"TODO\"; // TODOS"), []);
    }
}
