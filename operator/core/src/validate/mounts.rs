//! Where volumes are mounted in the container: at places that are free, and one at each.

use std::collections::BTreeSet;

use mlpipeline_crds::Mount;

use super::errors::Errors;
use crate::quoted::quoted;

/// Folders at the root of the container that the operator mounts itself.
const RESERVED_FOLDERS: [&str; 2] = ["storage", "tmp"];
/// The folder of the kernel, over and in which no container runtime mounts anything.
const KERNEL_FOLDER: &str = "proc";

/// A path in a container, written in one way only.
pub(super) fn place(path: &str) -> String {
    parts(path).fold(String::new(), |place, part| place + "/" + part)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// Checks the mounts of a pipeline or of a step, of volumes with these names.
pub(super) fn check(mounts: &[Mount], mut known: Vec<&str>, path: &str, errors: &mut Errors) {
    known.dedup();
    let mut places = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let path = format!("{path}.mounts[{index}]");
        check_mount(mount, &known, &path, errors);
        errors.require(
            places.insert(place(&mount.mount_path)),
            format!("{path}.mountPath"),
            format!(
                "{} is where an earlier mount is too, and one would hide the other",
                quoted(&mount.mount_path)
            ),
        );
    }
}

fn check_mount(mount: &Mount, known: &[&str], path: &str, errors: &mut Errors) {
    if !known.contains(&mount.name.as_str()) {
        let hint = match known {
            [] => "list it there first".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        errors.add_with_hint(
            format!("{path}.name"),
            format!("there is no volume {} under pod.volumes", quoted(&mount.name)),
            hint,
        );
    }
    check_mount_path(&mount.mount_path, &format!("{path}.mountPath"), errors);
}

/// Checks where something is mounted in the container.
pub(super) fn check_mount_path(mount_path: &str, path: &str, errors: &mut Errors) {
    let folders: Vec<&str> = parts(mount_path).collect();
    let confined = mount_path.starts_with('/')
        && !mount_path.contains(':')
        && folders.first().is_some_and(|first| !RESERVED_FOLDERS.contains(first))
        && !folders.contains(&"..");
    errors.require(
        confined,
        path,
        format!(
            "{} cannot be mounted at: begin with /, leave out : and .., and keep away from / itself, /{}",
            quoted(mount_path),
            RESERVED_FOLDERS.join(" and /")
        ),
    );
    errors.require(
        folders.first() != Some(&KERNEL_FOLDER),
        path,
        format!(
            "{} is in /{KERNEL_FOLDER}, which is the kernel's, and no container begins with a volume there: take another folder",
            quoted(mount_path)
        ),
    );
}
