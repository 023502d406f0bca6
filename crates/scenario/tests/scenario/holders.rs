//! How many holders there are, and as what.

use lockproof_scenario::{HoldersAs, resolved};

use crate::support::{FINE, read, refused, with};

#[test]
fn holders_are_tasks_unless_the_scenario_says_otherwise() {
    for (fields, count, kind) in [
        ("holders = 4", 4, HoldersAs::Tasks),
        ("holders = 4\nholders-as = \"tasks\"", 4, HoldersAs::Tasks),
        ("holders = 4\nholders-as = \"processes\"", 4, HoldersAs::Processes),
        ("holders-as = \"processes\"", 8, HoldersAs::Processes),
        ("holders = \"processes\"", 8, HoldersAs::Processes),
        ("holders = \"processes\"\nholders-as = \"processes\"", 8, HoldersAs::Processes),
    ] {
        let scenario = read(&with("holders = 4", fields)).unwrap();
        assert_eq!((scenario.load.holders, scenario.holders_as), (count, kind), "{fields}");
        let again = read(&resolved(&scenario)).unwrap();
        assert_eq!((again.load.holders, again.holders_as), (count, kind), "{fields}, written out");
    }
    assert_eq!(read(FINE).unwrap().holders_as, HoldersAs::default());
}

#[test]
fn what_holders_cannot_be_is_placed_with_what_was_meant() {
    for (fields, problem) in [
        (
            "holders = 4\nholders-as = \"process\"",
            "bad.toml:6:14: holders are no `process`; did you mean `processes`? available:",
        ),
        (
            "holders = \"eight\"",
            "bad.toml:5:11: `holders` is how many or what they are, and `eight` is neither; available:",
        ),
        (
            "holders = \"processes\"\nholders-as = \"tasks\"",
            "bad.toml:6:14: holders are processes or tasks, not both",
        ),
        (
            "holders = 300\nholders-as = \"processes\"",
            "bad.toml:5:11: 300 holders are too many for processes: 256 at most",
        ),
        (
            "holders = 4\nholders-as = 4",
            "bad.toml:6:14: `holders-as` takes a string, found integer",
        ),
    ] {
        refused(&with("holders = 4", fields), &[problem]);
    }
}
