//! `docs/adding-a-lock.md`, held against the lock that it walks through.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The code blocks of the page that are marked so.
fn blocks(mark: &str) -> Vec<String> {
    let page = read("docs/adding-a-lock.md");
    let opening = format!("```{mark}\n");
    let blocks = page.split(&opening).skip(1);
    blocks.map(|rest| rest.split("\n```").next().expect("it is closed").to_owned()).collect()
}

#[test]
fn the_page_shows_the_whole_file_part_by_part() {
    let parts = blocks("rust");
    assert!(parts.len() > 3, "it walks");
    let page: Vec<_> = parts.iter().flat_map(|part| part.lines()).collect();
    let file = read("crates/locks/src/catalog/redis_set_nx_get.rs");
    let file: Vec<_> = file.lines().collect();
    let dense = |lines: &[&str]| -> Vec<String> {
        lines.iter().filter(|line| !line.is_empty()).map(|line| (*line).to_owned()).collect()
    };
    assert_eq!(dense(&page), dense(&file));
}

#[test]
fn two_lines_of_the_catalog_and_nothing_else_know_its_name() {
    let [lines] = blocks("catalog").try_into().expect("one block of two lines");
    let lines: Vec<_> = lines.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    let mut mentions = Vec::new();
    for folder in fs::read_dir(root().join("crates")).expect("there are crates") {
        let source = folder.expect("it can be read").path().join("src");
        mentions.extend(mentions_below(&source));
    }
    mentions.sort();
    let mut expected = lines;
    expected.sort();
    assert_eq!(mentions, expected);
}

/// Lines of code outside its own file that name it.
fn mentions_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(mentions_below(&path));
        } else if path.extension().is_some_and(|is| is == "rs")
            && path.file_name().is_some_and(|name| name != "redis_set_nx_get.rs")
        {
            let text = fs::read_to_string(&path).expect("it can be read");
            let names = |line: &&str| {
                line.contains("redis_set_nx_get") || line.contains("redis-set-nx-get")
            };
            found.extend(text.lines().filter(names).map(str::to_owned));
        }
    }
    found
}
