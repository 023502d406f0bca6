//! An authority, and a certificate of it for `localhost`, made by openssl.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(crate) struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// None where openssl is missing and the tests that need it are to be skipped.
    pub(crate) fn make() -> Option<Self> {
        if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "openssl is missing");
            return None;
        }
        let made = Self { folder: TempDir::new().unwrap() };
        std::fs::write(
            made.path("san"),
            "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
        )
        .unwrap();
        made.openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
        made.openssl(
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        made.openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem");
        Some(made)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The same as a text.
    pub(crate) fn text(&self, file: &str) -> String {
        self.path(file).to_str().unwrap().to_owned()
    }

    /// Copies the server's certificate and key to `folder`, for its owner's eyes.
    pub(crate) fn hand_to(&self, folder: &Path) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let owner = std::fs::metadata(folder).unwrap();
        for file in ["server.pem", "server.key"] {
            let copy = folder.join(file);
            std::fs::copy(self.path(file), &copy).unwrap();
            std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(&copy, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.folder.path()).stderr(Stdio::null());
        assert!(command.stdout(Stdio::null()).status().unwrap().success(), "openssl {arguments}");
    }
}
