//! toxiproxy-python, unchanged.

use std::process::Command;

use crate::beside;
use crate::programs::{is_here, packages, skip, succeed};
use crate::toxiproxy::Proxied;

#[test]
fn toxiproxy_python_drives_the_proxy() {
    if !is_here("python3") {
        return skip("toxiproxy-python", "python3 is not on PATH");
    }
    let requirements = beside("python/requirements.txt");
    let installed = packages("toxiproxy-python", &requirements, |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--target"]);
        pip.arg(folder).arg("--requirement").arg(&requirements);
        pip
    });
    let folder = match installed {
        Ok(folder) => folder,
        Err(why) => return skip("toxiproxy-python", &why),
    };
    let proxied = Proxied::start(&[]);
    let mut script = Command::new("python3");
    script.arg(beside("python/drives.py")).args(proxied.api().split(':'));
    script.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
    let printed = succeed(&mut script);
    assert_eq!(printed.matches(": ok\n").count(), 8, "{printed}");
}
