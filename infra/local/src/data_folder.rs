//! The data folder. One run locks it at a time, and emptying it removes only the files of the local run.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::emulators::TABLES_FILE;

/// The file that a run locks while it uses the folder.
const LOCK_FILE: &str = "lock";
/// The file that holds the secrets.
pub(crate) const SECRETS_FILE: &str = "secrets.json";
/// The file that describes the running stack.
pub(crate) const DEMO_FILE: &str = "demo.json";
/// The file with the variables that the functions read.
pub(crate) const VARIABLES_FILE: &str = "functions.env";

/// A data folder that is locked until this value is dropped or the process ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Closing this file releases the lock.
    _lock: File,
}

impl DataFolder {
    /// Creates the folder if it is missing and locks it.
    ///
    /// # Errors
    /// When another run holds the lock, or the folder cannot be written. The message is one sentence for the terminal.
    pub fn lock(path: &Path) -> Result<Self> {
        let create = || DirBuilder::new().recursive(true).mode(0o700).create(path);
        create().with_context(|| format!("cannot create the data folder {}", path.display()))?;
        let path = fs::canonicalize(path).with_context(|| format!("cannot open the data folder {}", path.display()))?;
        let file = path.join(LOCK_FILE);
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&file);
        let lock = lock.with_context(|| format!("cannot write to the data folder {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "the data folder {} is in use by another local run: stop that one, or choose another folder with --data-dir",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock the data folder {}", path.display()))
            }
        }
    }

    /// Returns the folder as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the tables, the secrets and the files that describe the last run. Unknown files are kept.
    ///
    /// # Errors
    /// When one of them cannot be removed.
    pub fn empty(&self) -> Result<()> {
        let tables = ["", "-wal", "-shm", "-journal"].map(|suffix| format!("{TABLES_FILE}{suffix}"));
        let others = [SECRETS_FILE, DEMO_FILE, VARIABLES_FILE].map(str::to_owned);
        tables.into_iter().chain(others).try_for_each(|name| self.remove(&name))
    }

    /// Removes one file if it exists.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let file = self.path.join(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", file.display()))
            }
            _ => Ok(()),
        }
    }

    /// Writes one file atomically, readable by its owner only, and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let (file, draft) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let write = || {
            let mut out = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
            out.write_all(content.as_bytes())?;
            out.sync_all()?;
            fs::rename(&draft, &file)
        };
        write().with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_in_use_is_refused_with_a_clear_error() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("made/on/demand");
        let held = DataFolder::lock(&path).unwrap();
        let refused = DataFolder::lock(&path).unwrap_err().to_string();
        assert!(refused.contains("in use by another local run"), "{refused}");
        drop(held);
        DataFolder::lock(&path).unwrap();
    }

    #[test]
    fn emptying_leaves_foreign_files() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::lock(folder.path()).unwrap();
        for name in [TABLES_FILE, "dynamodb.sqlite-wal", SECRETS_FILE, DEMO_FILE, VARIABLES_FILE, "holiday.jpg"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        data.empty().unwrap();
        data.empty().unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["holiday.jpg", LOCK_FILE]);
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::lock(folder.path()).unwrap();
        data.write(DEMO_FILE, "first, and longer").unwrap();
        let file = data.write(DEMO_FILE, "second").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "second");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!folder.path().join("demo.json.new").exists());
    }
}
