//! One table per catalog, in the catalog's own order.

use lockproof_locks::Tokens;

use super::markers::NamedTable;
use super::table::{Table, listed, spelled};

/// Every table that a document can ask for.
pub(super) const TABLES: &[NamedTable] = &[
    ("locks", locks),
    ("drivers", drivers),
    ("policies", policies),
    ("guards", guards),
    ("faults", faults),
    ("flows", flows),
    ("toxics", toxics),
    ("checkers", checkers),
    ("providers", providers),
];

fn locks() -> String {
    let header = ["lock", "what it does", "needs", "fencing tokens", "renews", "unsafe on purpose"];
    let mut table = Table::new(header);
    for entry in lockproof_locks::ENTRIES.iter().chain([&lockproof_locks::EXTERNAL]) {
        let tokens = match entry.tokens {
            Tokens::Drawn => "yes".to_owned(),
            Tokens::None(reason) => format!("no: {reason}"),
        };
        table.row([
            spelled(entry.name),
            entry.summary.to_owned(),
            entry.needs.to_string(),
            tokens,
            yes_or_no(entry.renews),
            listed(entry.control.map(str::to_owned), ""),
        ]);
    }
    table.finish()
}

fn drivers() -> String {
    let mut table = Table::new(["driver", "what it does", "live only"]);
    for entry in lockproof_rig::live::DRIVERS {
        let live_only = listed(entry.live_only.map(str::to_owned), "");
        table.row([spelled(entry.name), entry.summary.to_owned(), live_only]);
    }
    table.finish()
}

fn policies() -> String {
    let mut table = Table::new(["policy", "what a holder does about its lease"]);
    for entry in lockproof_locks::policies::ENTRIES {
        table.row([spelled(entry.name), entry.summary.to_owned()]);
    }
    table.finish()
}

fn guards() -> String {
    let mut table =
        Table::new(["guard", "what it does", "needs a fencing token", "unsafe on purpose"]);
    for entry in lockproof_bookings::catalog::ENTRIES {
        table.row([
            spelled(entry.name),
            entry.summary.to_owned(),
            yes_or_no(entry.needs_token),
            listed(entry.control.map(str::to_owned), ""),
        ]);
    }
    table.finish()
}

fn faults() -> String {
    let mut table = Table::new(["fault", "what it does", "its fields"]);
    for entry in lockproof_faults::ENTRIES {
        let fields = entry.fields.iter();
        let fields = fields.map(|field| format!("{}: {}", spelled(field.name), field.summary));
        table.row([spelled(entry.name), entry.summary.to_owned(), listed(fields, "; ")]);
    }
    table.finish()
}

fn flows() -> String {
    let mut table =
        Table::new(["flow", "what it does", "steps", "its fields", "unsafe on purpose"]);
    for entry in lockproof_workload::ENTRIES {
        let steps = entry.steps.iter().map(spelled);
        let fields = entry.fields.iter();
        let fields = fields.map(|field| format!("{}: {}", spelled(field.name()), field.summary()));
        table.row([
            spelled(entry.name),
            entry.summary.to_owned(),
            listed(steps, " → "),
            listed(fields, "; "),
            listed(entry.control.map(str::to_owned), ""),
        ]);
    }
    table.finish()
}

fn toxics() -> String {
    let mut table = Table::new(["toxic", "what it does", "attributes"]);
    for entry in lockproof_proxy::CATALOG {
        let attributes = entry.attributes.iter().map(|attribute| {
            let default = &attribute.default;
            format!("{} ({default}): {}", spelled(attribute.name), attribute.summary)
        });
        table.row([spelled(entry.name), entry.summary.to_owned(), listed(attributes, "; ")]);
    }
    table.finish()
}

fn checkers() -> String {
    let mut table = Table::new(["checker", "what it checks", "layer"]);
    for entry in lockproof_checkers::ENTRIES {
        let layer = format!("{:?}", entry.layer).to_lowercase();
        table.row([spelled(entry.name), entry.summary.to_owned(), layer]);
    }
    table.finish()
}

fn providers() -> String {
    let mut table = Table::new(["provider", "where servers come from", "database link disturbed"]);
    for entry in lockproof_rig::live::PROVIDERS {
        table.row([
            spelled(entry.name),
            entry.summary.to_owned(),
            yes_or_no(entry.has_database_link()),
        ]);
    }
    table.finish()
}

fn yes_or_no(answer: bool) -> String {
    if answer { "yes".to_owned() } else { "no".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_row_for_every_entry() {
        let rows = [
            lockproof_locks::ENTRIES.len() + 1,
            lockproof_rig::live::DRIVERS.len(),
            lockproof_locks::policies::ENTRIES.len(),
            lockproof_bookings::catalog::ENTRIES.len(),
            lockproof_faults::ENTRIES.len(),
            lockproof_workload::ENTRIES.len(),
            lockproof_proxy::CATALOG.len(),
            lockproof_checkers::ENTRIES.len(),
            lockproof_rig::live::PROVIDERS.len(),
        ];
        for ((name, write), rows) in TABLES.iter().zip(rows) {
            assert_eq!(write().lines().count(), rows + 2, "{name}");
        }
    }
}
