//! Node's redlock.

use std::process::Command;

use crate::beside;
use crate::models::Models;
use crate::programs::{is_here, packages, skip, succeed};

#[test]
fn redlock_works_on_one_server_and_on_five() {
    if !is_here("node") || !is_here("npm") {
        return skip("redlock for Node", "node and npm are not on PATH");
    }
    let installed = packages("node", &beside("package.json"), |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
        npm.current_dir(folder);
        npm
    });
    let folder = match installed {
        Ok(folder) => folder,
        Err(why) => return skip("redlock for Node", &why),
    };
    for servers in [1, 5] {
        let models = Models::serve(servers);
        let mut script = Command::new("node");
        script.arg(beside("node_redlock.cjs")).args(models.ports.iter().map(u16::to_string));
        script.env("NODE_PATH", folder.join("node_modules"));
        let printed = succeed(&mut script);
        assert_eq!(printed.matches(": ok\n").count(), 6, "{printed}");
    }
}
