//! The table of rooms in ARCHITECTURE.md, against who really depends on whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::{Failure, Problem, Tree};

const DOCUMENT: &str = "ARCHITECTURE.md";
const HEADING: &str = "## Rooms";
const HEADER: [&str; 3] = ["crate", "what lives there", "may use"];
const PREFIX: &str = "lockproof-";

/// A member of the workspace, as far as the rules care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its manifest, from the root.
    pub(super) manifest: PathBuf,
    /// The package's name.
    pub(super) name: String,
    /// The packages that it is built from. What only its tests use is nobody's business.
    pub(super) uses: Vec<String>,
}

impl Member {
    /// The folder's name, where it is one of `crates/`.
    fn room(&self) -> Option<&str> {
        let folder = self.manifest.parent()?.strip_prefix("crates").ok()?;
        folder.to_str()
    }
}

/// Every member of the workspace.
pub(super) fn members(root: &Path) -> Result<Vec<Member>, Failure> {
    let metadata =
        MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let mut members = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root)?;
        let uses = package.dependencies.iter();
        let uses = uses.filter(|dependency| dependency.kind != DependencyKind::Development);
        members.push(Member {
            manifest: manifest.into(),
            name: package.name.to_string(),
            uses: uses.map(|dependency| dependency.name.clone()).collect(),
        });
    }
    Ok(members)
}

/// Holds the members against the table.
pub(super) fn check(tree: &Tree, members: &[Member]) -> Vec<Problem> {
    match tree.read(Path::new(DOCUMENT)) {
        Ok(text) => against(&text, members),
        Err(error) => {
            let remedy = format!("write it, with the table of crates under `{HEADING}`");
            vec![Problem::of(DOCUMENT, format!("it cannot be read ({})", error.kind()), remedy)]
        }
    }
}

fn against(text: &str, members: &[Member]) -> Vec<Problem> {
    let rows = table(text);
    if rows.is_empty() {
        let what = "it has no table of crates";
        let remedy = format!("put `| {} |` and its rows under `{HEADING}`", HEADER.join(" | "));
        return vec![Problem::of(DOCUMENT, what, remedy)];
    }
    let mut problems = unknown_rooms(&rows);
    let rooms: BTreeMap<&str, &Member> =
        members.iter().filter_map(|member| Some((member.room()?, member))).collect();
    for row in &rows {
        if !rooms.contains_key(row.room.as_str()) {
            let what = format!("`{}` has a row, and crates/{} is no crate", row.room, row.room);
            problems.push(Problem::of(DOCUMENT, what, "delete the row").at(row.line));
        }
    }
    for (room, member) in rooms {
        match rows.iter().find(|row| row.room == room) {
            Some(row) => problems.extend(neighbours(member, room, row)),
            None => {
                let what = format!("crates/{room} has no row in {DOCUMENT}");
                let remedy = format!("say under `{HEADING}` what lives there and what it may use");
                problems.push(Problem::of(&member.manifest, what, remedy));
            }
        }
    }
    problems
}

/// What a row allows and no row is about.
fn unknown_rooms(rows: &[Row]) -> Vec<Problem> {
    let known: BTreeSet<&str> = rows.iter().map(|row| row.room.as_str()).collect();
    let unknown = rows.iter().flat_map(|row| {
        let names = row.may_use.iter().filter(|name| !known.contains(name.as_str()));
        names.map(|name| {
            let what = format!("`{}` may use `{name}`, which has no row", row.room);
            Problem::of(DOCUMENT, what, "correct the name").at(row.line)
        })
    });
    unknown.collect()
}

fn neighbours(member: &Member, room: &str, row: &Row) -> Vec<Problem> {
    let mut problems = Vec::new();
    if member.name != format!("{PREFIX}{room}") {
        let what = format!("the package in crates/{room} is called {}", member.name);
        problems.push(Problem::of(&member.manifest, what, format!("call it {PREFIX}{room}")));
    }
    for used in member.uses.iter().filter_map(|name| name.strip_prefix(PREFIX)) {
        if !row.may_use.iter().any(|allowed| allowed == used) {
            let what = format!("`{room}` uses `{used}`, which {DOCUMENT} does not allow");
            let remedy = format!("do without, or change the table (line {}) and say why", row.line);
            problems.push(Problem::of(&member.manifest, what, remedy));
        }
    }
    problems
}

/// A row, with `all` and `all above` spelled out.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    room: String,
    may_use: Vec<String>,
}

/// The rows of the first table of that header under the heading.
fn table(text: &str) -> Vec<Row> {
    let lines = text.lines().enumerate();
    let mut lines = lines
        .skip_while(|(_, line)| line.trim_end() != HEADING)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("## "))
        .skip_while(|(_, line)| cells(line) != HEADER)
        .skip(2);
    let mut raw = Vec::new();
    for (at, line) in lines.by_ref().take_while(|(_, line)| line.starts_with('|')) {
        if let [room, _, may_use] = cells(line)[..] {
            raw.push((at + 1, plain(room), may_use));
        }
    }
    let rooms: Vec<String> = raw.iter().map(|(_, room, _)| room.clone()).collect();
    let rows = raw.into_iter().enumerate();
    rows.map(|(at, (line, room, may_use))| {
        let may_use = match plain(may_use).as_str() {
            "–" | "-" | "" => Vec::new(),
            "all" => rooms.clone(),
            "all above" => rooms[..at].to_vec(),
            _ => may_use.split(',').map(plain).collect(),
        };
        Row { line, room, may_use }
    })
    .collect()
}

fn cells(line: &str) -> Vec<&str> {
    let inside = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inside.map_or_else(Vec::new, |line| line.split('|').map(str::trim).collect())
}

fn plain(cell: &str) -> String {
    cell.replace('`', "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
        # House\n\
        | crate | what lives there | may use |\n\
        |---|---|---|\n\
        | decoy | not under the heading | – |\n\
        ## Rooms\n\
        Some words.\n\
        \n\
        | crate | what lives there | may use |\n\
        |---|---|---|\n\
        | `model` | words | – |\n\
        | env | time | `model` |\n\
        | runner | conducts | all above |\n\
        | report | paper | model, env |\n\
        | `cli` | arguments | all |\n\
        \n\
        | another | table | entirely |\n";

    fn member(room: &str, uses: &[&str]) -> Member {
        Member {
            manifest: format!("crates/{room}/Cargo.toml").into(),
            name: format!("lockproof-{room}"),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn house() -> Vec<Member> {
        vec![
            member("model", &["serde"]),
            member("env", &["lockproof-model", "tokio"]),
            member("runner", &["lockproof-env", "lockproof-model"]),
            member("report", &["lockproof-model"]),
            member("cli", &["lockproof-report", "lockproof-runner"]),
            Member { manifest: "xtask/Cargo.toml".into(), ..member("xtask", &["lockproof-cli"]) },
        ]
    }

    fn found(text: &str, members: &[Member]) -> Vec<String> {
        against(text, members).into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn a_house_as_drawn_passes() {
        assert_eq!(found(TABLE, &house()), [""; 0]);
    }

    #[test]
    fn a_use_that_the_table_does_not_allow_is_rejected() {
        let mut house = house();
        house[0].uses.push("lockproof-env".to_owned());
        house[2].uses.push("lockproof-report".to_owned());
        assert_eq!(
            found(TABLE, &house),
            [
                "`model` uses `env`, which ARCHITECTURE.md does not allow",
                "`runner` uses `report`, which ARCHITECTURE.md does not allow",
            ]
        );
    }

    #[test]
    fn a_room_without_a_row_and_a_row_without_a_room_are_rejected() {
        let mut house = house();
        house.remove(3);
        house.push(member("attic", &[]));
        assert_eq!(
            found(TABLE, &house),
            [
                "`report` has a row, and crates/report is no crate",
                "crates/attic has no row in ARCHITECTURE.md",
            ]
        );
    }

    #[test]
    fn a_name_that_no_row_is_about_is_rejected() {
        let text = TABLE.replace("model, env", "model, enw");
        assert_eq!(found(&text, &house()), ["`report` may use `enw`, which has no row"]);
    }

    #[test]
    fn a_package_of_another_name_is_rejected() {
        let mut house = house();
        house[1].name = "env".to_owned();
        assert_eq!(found(TABLE, &house), ["the package in crates/env is called env"]);
    }

    #[test]
    fn a_missing_table_or_document_is_rejected() {
        assert_eq!(found("# House\n## Rooms\n", &house()), ["it has no table of crates"]);
        let (_folder, tree) = crate::tree::tests::planted(&[]);
        assert!(check(&tree, &house())[0].what.starts_with("it cannot be read"));
    }
}
