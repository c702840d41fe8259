//! Manifests as the command line reads them.

use kubectl_mlpipeline::manifest::{Manifests, Namespace};
use mlpipeline_worker::hostile_bytes::Target;

/// A file of YAML.
pub const TARGET: Target = Target { name: "yaml", seeds, read };

/// The longest text of a mistake: a terminal shows it, and whatever reads the JSON.
const LONGEST: usize = 9 << 10;

fn seeds() -> Vec<Vec<u8>> {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(samples).expect("samples") {
        let Ok(files) = std::fs::read_dir(folder.expect("an entry").path()) else { continue };
        let paths = files.map(|file| file.expect("a file").path());
        let manifests = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        found.extend(manifests.map(|path| std::fs::read(path).expect("a sample")));
    }
    found
}

fn read(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.yaml");
    std::fs::write(&file, bytes).expect("a file");
    let found = Manifests::read(std::slice::from_ref(&file), Namespace::Unset);
    assert!(found.count > 0 || !found.problems.is_empty(), "nothing is said");
    for problem in &found.problems {
        let text = problem.to_string();
        assert!(
            !problem.problem.trim().is_empty() && text.len() <= LONGEST,
            "{} bytes: {text:.300}",
            text.len()
        );
    }
    found.problems.is_empty()
}
