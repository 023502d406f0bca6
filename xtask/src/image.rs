//! `cargo xtask image`: container images from this machine's own redis-server and Postgres, where no registry is reached.
//!
//! An image is what the programs need and nothing else: the programs, the libraries that `ldd` names, a shell, users, and
//! for Postgres its share folder. `docker import` makes an image of a tar file, without a network.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{Failure, say};

/// What the image of this machine's redis-server is called.
pub const REDIS: &str = "lockproof/redis-server:local";
/// What the image of this machine's Postgres is called.
pub const POSTGRES: &str = "lockproof/postgres:local";

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n";
const GROUP: &str = "root:x:0:\npostgres:x:999:\n";

/// Starts a Postgres as the official image does, as far as ours asks for it.
const START_POSTGRES: &str = include_str!("image/start-postgres.sh");

/// Makes both.
///
/// # Errors
/// A program or the engine is missing, or refuses.
pub fn make(engine: Option<&str>) -> Result<(), Failure> {
    redis(engine)?;
    postgres(engine)
}

fn redis(engine: Option<&str>) -> Result<(), Failure> {
    let root = Root::new()?;
    root.program(&found("redis-server", &[])?)?;
    root.folder("data", 0o777)?;
    root.import(engine, REDIS, &["WORKDIR /data", "EXPOSE 6379"])
}

fn postgres(engine: Option<&str>) -> Result<(), Failure> {
    let root = Root::new()?;
    let home = postgres_home()?;
    for program in ["postgres", "initdb"] {
        root.program(&home.join("bin").join(program))?;
    }
    root.program(Path::new("/bin/sh"))?;
    // Loaded by name at run time, so that ldd of the server says nothing of them.
    let loaded = fs::read_dir(home.join("lib"))?.flatten().map(|entry| entry.path());
    for library in loaded.filter(|path| path.extension().is_some_and(|ending| ending == "so")) {
        root.program(&library)?;
    }
    root.tree(&share_of(&home)?)?;
    root.tree(Path::new("/usr/share/zoneinfo"))?;
    root.folder("var/lib/postgresql", 0o777)?;
    root.script("usr/bin/start-postgres", START_POSTGRES)?;
    let path = format!("ENV PATH={}:/usr/bin:/bin", home.join("bin").display());
    let changes =
        ["USER postgres", "EXPOSE 5432", "ENTRYPOINT [\"/usr/bin/start-postgres\"]", &path];
    root.import(engine, POSTGRES, &changes)
}

/// The newest of Debian's, or the folder of the one on PATH.
fn postgres_home() -> Result<PathBuf, Failure> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort_unstable();
    let newest = versions.pop().map(|(_, home)| home);
    newest.ok_or_else(|| "no Postgres under /usr/lib/postgresql: apt-get install postgresql".into())
}

fn share_of(home: &Path) -> Result<PathBuf, Failure> {
    let version = home.file_name().ok_or("a Postgres without a version")?;
    Ok(Path::new("/usr/share/postgresql").join(version))
}

fn found(name: &str, elsewhere: &[PathBuf]) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(elsewhere.iter().cloned());
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| format!("{name} is not on PATH").into())
}

/// The file system of an image in the making.
struct Root(TempDir);

impl Root {
    fn new() -> Result<Self, Failure> {
        let root = Self(tempfile::tempdir()?);
        root.folder("tmp", 0o1777)?;
        root.folder("etc", 0o755)?;
        fs::write(root.at("etc/passwd"), PASSWD)?;
        fs::write(root.at("etc/group"), GROUP)?;
        Ok(root)
    }

    fn at(&self, place: impl AsRef<Path>) -> PathBuf {
        let place = place.as_ref();
        self.0.path().join(place.strip_prefix("/").unwrap_or(place))
    }

    fn folder(&self, place: &str, mode: u32) -> Result<(), Failure> {
        fs::create_dir_all(self.at(place))?;
        Ok(fs::set_permissions(self.at(place), Permissions::from_mode(mode))?)
    }

    fn script(&self, place: &str, text: &str) -> Result<(), Failure> {
        self.parent_of(Path::new(place))?;
        fs::write(self.at(place), text)?;
        Ok(fs::set_permissions(self.at(place), Permissions::from_mode(0o755))?)
    }

    /// A program or a library at its own place, with every library that it needs.
    fn program(&self, program: &Path) -> Result<(), Failure> {
        for file in libraries_of(program)?.iter().map(PathBuf::as_path).chain([program]) {
            self.parent_of(file)?;
            // The file itself, where its place is a link: names are what is looked for.
            fs::copy(file, self.at(file))?;
        }
        Ok(())
    }

    fn parent_of(&self, place: &Path) -> Result<(), Failure> {
        let parent = place.parent().unwrap_or(Path::new("/"));
        Ok(fs::create_dir_all(self.at(parent))?)
    }

    fn tree(&self, place: &Path) -> Result<(), Failure> {
        self.parent_of(place)?;
        run(Command::new("cp").arg("-rL").arg(place).arg(self.at(place)))
    }

    fn import(&self, engine: Option<&str>, name: &str, changes: &[&str]) -> Result<(), Failure> {
        let tar = tempfile::NamedTempFile::with_suffix(".tar")?;
        let mut pack = Command::new("tar");
        pack.args(["--owner=0", "--group=0", "--numeric-owner", "-C"]).arg(self.0.path());
        run(pack.arg("-cf").arg(tar.path()).arg("."))?;
        let mut import = Command::new("docker");
        if let Some(engine) = engine {
            import.args(["-H", engine]);
        }
        import.arg("import");
        import.args(changes.iter().flat_map(|change| ["-c", change]));
        run(import.arg(tar.path()).arg(name))?;
        say(format_args!("made the image {name}"));
        Ok(())
    }
}

/// What `ldd` names, the loader included; nothing for a program that is linked statically.
fn libraries_of(program: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let output = Command::new("ldd").arg(program).stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if let Some(line) = text.lines().find(|line| line.contains("not found")) {
        return Err(
            format!("{} needs what is not there: {}", program.display(), line.trim()).into()
        );
    }
    // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, or the loader's path alone.
    let path = |line: &str| {
        let words = line.split_whitespace();
        words.map(ToOwned::to_owned).find(|word| word.starts_with('/')).map(PathBuf::from)
    };
    Ok(text.lines().filter_map(path).collect())
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}: {}", output.status, said.trim()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_comes_with_its_libraries_and_their_loader() {
        let program = std::env::current_exe().unwrap();
        let libraries = libraries_of(&program).unwrap();
        let named = |part: &str| libraries.iter().any(|path| path.to_string_lossy().contains(part));
        assert!(named("libc.so"), "{libraries:?}");
        let root = Root::new().unwrap();
        root.program(&program).unwrap();
        assert!(root.at(&program).is_file());
        assert!(libraries.iter().all(|library| root.at(library).is_file()));
    }
}
