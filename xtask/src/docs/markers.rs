//! Finds the generated tables of a document, and writes them again.

/// A table's name, and what writes it.
pub(super) type NamedTable = (&'static str, fn() -> String);

const END: &str = "<!-- /generated -->";

/// A document with its tables written again.
#[derive(Debug, Default)]
pub(super) struct Refreshed {
    /// The document.
    pub(super) text: String,
    /// The tables that were not what they are now: the marker's line, and the name.
    pub(super) stale: Vec<(usize, String)>,
    /// Markers that make no sense, by line.
    pub(super) broken: Vec<(usize, String)>,
}

impl Refreshed {
    /// What stands in a fenced block is an example, not a marker.
    pub(super) fn of(text: &str, tables: &[NamedTable]) -> Self {
        let mut refreshed = Self::default();
        let mut fenced = false;
        let mut lines = text.split_inclusive('\n').enumerate();
        while let Some((at, line)) = lines.next() {
            refreshed.text.push_str(line);
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            if line.trim_end() == END {
                refreshed.broken.push((at + 1, "this ends nothing".to_owned()));
            }
            let Some(name) = begun(line) else { continue };
            let mut body = String::new();
            let end = lines.by_ref().find_map(|(_, line)| {
                if line.trim_end() == END {
                    return Some(line);
                }
                body.push_str(line);
                None
            });
            refreshed.section(at + 1, name, &body, end, tables);
        }
        refreshed
    }

    fn section(
        &mut self,
        line: usize,
        name: &str,
        body: &str,
        end: Option<&str>,
        tables: &[NamedTable],
    ) {
        let Some(end) = end else {
            self.broken.push((line, format!("`{name}` begins here and no `{END}` ends it")));
            return;
        };
        match tables.iter().find(|(known, _)| *known == name) {
            Some((_, write)) => {
                let table = write();
                if table != body {
                    self.stale.push((line, name.to_owned()));
                }
                self.text.push_str(&table);
            }
            None => {
                let known: Vec<_> = tables.iter().map(|(known, _)| *known).collect();
                let what = format!("no table is called `{name}`; there are: {}", known.join(", "));
                self.broken.push((line, what));
                self.text.push_str(body);
            }
        }
        self.text.push_str(end);
    }
}

/// The table that a line begins.
fn begun(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("<!-- generated: ")?.strip_suffix(" -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &[NamedTable] = &[("a", || "new\n".to_owned())];

    #[test]
    fn only_what_stands_between_markers_changes() {
        let text = "x\n<!-- generated: a -->\nold\nolder\n<!-- /generated -->\ny";
        let refreshed = Refreshed::of(text, TABLES);
        assert_eq!(refreshed.text, "x\n<!-- generated: a -->\nnew\n<!-- /generated -->\ny");
        assert_eq!(refreshed.stale, [(2, "a".to_owned())]);
        let again = Refreshed::of(&refreshed.text, TABLES);
        assert_eq!(again.text, refreshed.text);
        assert_eq!((again.stale.len(), again.broken.len()), (0, 0));
    }

    #[test]
    fn an_example_is_left_alone() {
        let text =
            "```\n<!-- generated: a -->\nold\n<!-- /generated -->\n```\n`<!-- generated: a -->`\n";
        let refreshed = Refreshed::of(text, TABLES);
        assert_eq!(refreshed.text, text);
        assert_eq!((refreshed.stale.len(), refreshed.broken.len()), (0, 0));
    }

    #[test]
    fn markers_without_their_twin_are_rejected() {
        let open = Refreshed::of("<!-- generated: a -->\nold\n", TABLES);
        assert_eq!(
            open.broken,
            [(1, "`a` begins here and no `<!-- /generated -->` ends it".to_owned())]
        );
        let close = Refreshed::of("x\n<!-- /generated -->\n", TABLES);
        assert_eq!(close.broken, [(2, "this ends nothing".to_owned())]);
    }
}
