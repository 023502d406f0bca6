//! redis-py.

use std::process::Command;

use crate::beside;
use crate::models::Models;
use crate::programs::{is_here, packages, skip, succeed};

#[test]
fn redis_py_s_lock_works() {
    if !is_here("python3") {
        return skip("redis-py", "python3 is not on PATH");
    }
    let requirements = beside("requirements.txt");
    let installed = packages("python", &requirements, |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--target"]);
        pip.arg(folder).arg("--requirement").arg(&requirements);
        pip
    });
    let folder = match installed {
        Ok(folder) => folder,
        Err(why) => return skip("redis-py", &why),
    };
    let models = Models::serve(1);
    let mut script = Command::new("python3");
    script.arg(beside("redis_py_lock.py")).arg(models.ports[0].to_string());
    script.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
    let printed = succeed(&mut script);
    assert_eq!(printed.matches(": ok\n").count(), 8, "{printed}");
}
