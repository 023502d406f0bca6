use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that hold what was made, not what was written.
const GENERATED: &[&str] = &[".git", "target", "reports", "node_modules"];
/// Cargo marks every target folder with it, whatever the folder is called.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// The files that people wrote, in a fixed order.
///
/// They are walked, not asked of git, so that the rules hold in a source archive too, and for a file that is not yet
/// added.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    files: Vec<PathBuf>,
}

impl Tree {
    /// Walks everything below `root`.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn walk(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(root, Path::new(""), &mut files)?;
        files.sort_unstable();
        Ok(Self { root: root.to_owned(), files })
    }

    /// Every file, from the root.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The files whose name ends in `.extension`.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &Path> {
        self.files().filter(move |file| file.extension().is_some_and(|found| found == extension))
    }

    /// Where a file of the tree lies on this machine.
    pub(crate) fn path(&self, file: &Path) -> PathBuf {
        self.root.join(file)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// It is missing, or not UTF-8; the error names it.
    pub(crate) fn read(&self, file: &Path) -> io::Result<String> {
        fs::read_to_string(self.path(file))
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        if entry.file_type()?.is_dir() {
            let generated = GENERATED.iter().any(|known| name == *known)
                || entry.path().join(CACHE_MARK).is_file();
            if !generated {
                collect(root, &path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A tree of these files, for the tests of the rules.
    pub(crate) fn planted(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::walk(folder.path()).unwrap();
        (folder, tree)
    }

    #[test]
    fn what_was_made_is_left_out() {
        let (_folder, tree) = planted(&[
            ("a.rs", ""),
            ("target/b.rs", ""),
            ("elsewhere/CACHEDIR.TAG", ""),
            ("elsewhere/c.rs", ""),
            (".ci/run", ""),
        ]);
        let found: Vec<_> = tree.files().collect();
        assert_eq!(found, [Path::new(".ci/run"), Path::new("a.rs")]);
    }
}
