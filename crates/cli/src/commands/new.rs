//! `lockproof new NAME`: a commented scenario to start from.

use std::fs::OpenOptions;
use std::io::Write;

use crate::arguments::NewArguments;
use crate::exit::{Exit, Failure};

const TEMPLATE: &str = include_str!("new/template.toml");

pub(crate) fn run(arguments: &NewArguments) -> Result<Exit, Failure> {
    let NewArguments { name, dir } = arguments;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        let what = format!("`{name}` is no name; use lower-case letters, digits and dashes");
        return Err(Failure::usage(what));
    }
    let path = dir.join(format!("{name}.toml"));
    let cannot = |error| Failure::usage(format!("cannot write {}: {error}", path.display()));
    std::fs::create_dir_all(dir).map_err(cannot)?;
    // Never over a scenario that is there.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(cannot)?;
    file.write_all(TEMPLATE.replace("{name}", name).as_bytes()).map_err(cannot)?;
    crate::terminal::answer(&format!("wrote {0}; try it: lockproof run {0}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_template_is_a_valid_scenario() {
        let text = TEMPLATE.replace("{name}", "mine");
        let scenario = lockproof_scenario::parse(Path::new("mine.toml"), &text);
        assert_eq!(
            scenario.map(|scenario| scenario.name).map_err(|e| e.to_string()),
            Ok("mine".to_owned())
        );
    }
}
