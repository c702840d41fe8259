//! Where the continuous steps of a local run look for files, said where there are none yet: on the pipeline's volume, and not beside the
//! manifest, where inputs of other steps may be.

use std::path::Path;

use mlpipeline_core::pipeline::ValidatedPipeline;

use super::Settings;

/// What to know of the folders of a run that a step watches, and that hold nothing. `volume` is the folder that stands for the pipeline's
/// volume, `beside` that of the manifest.
#[must_use]
pub fn empty_inboxes(
    pipeline: &ValidatedPipeline,
    settings: &Settings,
    volume: &Path,
    beside: &Path,
) -> Vec<String> {
    if settings.once {
        return Vec::new();
    }
    let steps = pipeline.steps.iter().filter(|step| settings.includes(&step.name));
    let watched = steps.filter_map(|step| {
        Some((step.name.as_str(), step.action.descriptor().inbox()?.strip_prefix("file:")?))
    });
    watched
        .filter(|(_, pattern)| !has_files(&folder(volume, pattern)))
        .map(|(step, pattern)| {
            let aside = folder(beside, pattern);
            let others = if has_files(&aside) {
                format!("; those in {} are not taken, move them there", aside.display())
            } else {
                String::new()
            };
            format!("{step} takes the files {} as they come{others}", volume.join(pattern).display())
        })
        .collect()
}

/// The folder of a pattern's files, as far as it has no wildcard.
fn folder(root: &Path, pattern: &str) -> std::path::PathBuf {
    let (folders, _) = pattern.rsplit_once('/').unwrap_or_default();
    let plain = folders.split('/').take_while(|part| !part.contains('*'));
    plain.fold(root.to_owned(), |folder, part| folder.join(part))
}

fn has_files(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
}
