//! Shell files: those who clone the repository can run them as they are.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::{Problem, Tree};

/// Looks at every `*.sh`, everything in `.ci`, and whatever else names its own interpreter.
pub(super) fn check(tree: &Tree) -> io::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in tree.files() {
        let path = tree.path(file);
        let has_shebang = first_bytes(&path)? == *b"#!/";
        let is_shell = file.extension().is_some_and(|extension| extension == "sh")
            || (file.starts_with(".ci") && file.extension().is_none());
        if is_shell && !has_shebang {
            let remedy = "begin it with `#!/usr/bin/env bash`";
            problems.push(Problem::of(file, "nothing says what runs this", remedy));
        }
        let executable = fs::metadata(&path)?.permissions().mode() & 0o111 == 0o111;
        if (is_shell || has_shebang) && !executable {
            let remedy = format!("chmod +x {}", file.display());
            problems.push(Problem::of(file, "it cannot be run", remedy));
        }
    }
    Ok(problems)
}

fn first_bytes(path: &Path) -> io::Result<[u8; 3]> {
    let mut bytes = [0; 3];
    let mut file = fs::File::open(path)?;
    match io::Read::read_exact(&mut file, &mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::planted;

    #[test]
    fn a_shell_file_without_shebang_or_mode_is_rejected() {
        let (folder, tree) = planted(&[
            (".ci/run", "true\n"),
            ("a.sh", "#!/bin/sh\n"),
            ("b", "#!/bin/sh\n"),
            ("c.sh", "#!/bin/sh\n"),
            ("d.rs", "#![expect(x)]\n"),
            ("e", ""),
        ]);
        fs::set_permissions(folder.path().join("c.sh"), PermissionsExt::from_mode(0o755)).unwrap();
        let found: Vec<_> = check(&tree)
            .unwrap()
            .into_iter()
            .map(|problem| format!("{}: {}", problem.file.display(), problem.what))
            .collect();
        assert_eq!(
            found,
            [
                ".ci/run: nothing says what runs this",
                ".ci/run: it cannot be run",
                "a.sh: it cannot be run",
                "b: it cannot be run",
            ]
        );
    }
}
