//! Where the control plane's programs are. `tests/tools/build.sh` builds them and alone knows the cache's layout.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The script that builds the programs.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/build.sh");

/// The path of a program: in the folder that `KUBEBUILDER_ASSETS` names, else in the cache of `tests/tools/build.sh`; with
/// `KUBECONFIG` set also in those of `PATH`.
///
/// # Errors
/// Says what to run when the program is in neither.
pub fn find(name: &str) -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS") {
        let path = Path::new(&folder).join(name);
        if path.is_file() {
            return Ok(path);
        }
    }
    let output = Command::new("sh").args([SCRIPT, "--where"]).output();
    let output = output.map_err(|error| format!("{SCRIPT} could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("{SCRIPT} --where failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let path = listed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let path = PathBuf::from(path.ok_or_else(|| format!("{SCRIPT} knows no program {name}"))?);
    if path.is_file() {
        return Ok(path);
    }
    if let (Some(folders), true) = (std::env::var_os("PATH"), std::env::var_os("KUBECONFIG").is_some()) {
        let found =
            std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
        return found.ok_or_else(|| format!("there is no {name} on the PATH, for the cluster of KUBECONFIG"));
    }
    Err(format!(
        "{name} is not at {}: build it with `tests/tools/build.sh` (Go 1.25 or newer), or set KUBEBUILDER_ASSETS to a \
         folder that has etcd, kube-apiserver, kube-controller-manager and kubectl, or KUBECONFIG to a test cluster's",
        path.display()
    ))
}
