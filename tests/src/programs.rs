//! Where the programs under test and the repository's files are.

use std::path::{Path, PathBuf};

/// The folder of the programs that this build made.
///
/// # Panics
/// When this executable does not lie in a build's folder.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that cannot find its programs can only fail")]
pub fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this executable");
    let folder = own.parent().expect("a folder");
    // Test executables lie one folder deeper than programs.
    let folder = if folder.ends_with("deps") { folder.parent().expect("a folder") } else { folder };
    folder.to_owned()
}

/// The path of a program under test.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let path = folder().join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is missing: build the programs with `make build`", path.display());
    path
}

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}
