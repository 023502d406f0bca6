//! Markdown tables.

/// A table that is written row by row.
#[derive(Debug)]
pub(super) struct Table(String);

impl Table {
    pub(super) fn new<const COLUMNS: usize>(titles: [&str; COLUMNS]) -> Self {
        let mut table = Self(String::new());
        table.row(titles.map(str::to_owned));
        table.0.push_str(&"|---".repeat(COLUMNS));
        table.0.push_str("|\n");
        table
    }

    pub(super) fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        for cell in cells {
            self.0.push_str("| ");
            self.0.push_str(&cell.replace('|', "\\|").replace('\n', " "));
            self.0.push(' ');
        }
        self.0.push_str("|\n");
    }

    /// The text, which ends its last line.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// As scenarios and code spell it.
pub(super) fn spelled(name: impl std::fmt::Display) -> String {
    format!("`{name}`")
}

/// Several things in one cell, or a dash for none.
pub(super) fn listed(items: impl IntoIterator<Item = String>, between: &str) -> String {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() { "–".to_owned() } else { items.join(between) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_end_its_row() {
        let mut table = Table::new(["a", "b"]);
        table.row([spelled("x|y"), listed([], ", ")]);
        assert_eq!(table.finish(), "| a | b |\n|---|---|\n| `x\\|y` | – |\n");
    }
}
