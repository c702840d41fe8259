//! Manifests: files of YAML documents, read into valid pipelines and the objects that they refer to.
//!
//! Owns finding every mistake in the files at once. Must not run or plan anything.

mod hint;
#[cfg(test)]
mod hostile_bytes;
mod namespace;
mod object_names;
mod objects;
mod pipeline;
mod problem;
mod schema;
pub mod yaml;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use mlpipeline_core::notes::notes;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_crds::API_VERSION;

pub use namespace::Namespace;
pub use objects::{NotText, Objects, SecretText};
pub use problem::Problem;
use yaml::{Content, MAX_BYTES, Node, Position};

/// Everything that was found in some files.
#[derive(Debug, Default)]
pub struct Manifests {
    /// The valid pipelines.
    pub pipelines: Vec<Found>,
    /// ConfigMaps and Secrets.
    pub objects: Objects,
    /// What is wrong, in the order of the files.
    pub problems: Vec<Problem>,
    /// What was ignored, for people.
    pub notes: Vec<String>,
    /// How many pipelines there are, wrong ones too.
    pub count: usize,
}

/// One pipeline and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The file; `-` for standard input.
    pub file: PathBuf,
    /// The pipeline.
    pub pipeline: ValidatedPipeline,
}

impl Manifests {
    /// Reads files, `-` being standard input.
    #[must_use]
    pub fn read(files: &[PathBuf], namespace: Namespace<'_>) -> Self {
        let mut manifests = Self::default();
        for file in files {
            manifests.read_file(file, namespace);
        }
        let taken = object_names::taken(&manifests.pipelines);
        manifests.problems.extend(taken);
        if manifests.count == 0 && manifests.problems.is_empty() {
            let file = files.first().cloned().unwrap_or_default();
            let hint = format!("a document of one has apiVersion: {API_VERSION} and kind: MLPipeline");
            manifests.problems.push(Problem::of_file(&file, "there is no MLPipeline in it").with_hint(hint));
        }
        manifests
    }

    /// Reads a file that may hold nothing but ConfigMaps and Secrets.
    pub fn read_secrets(&mut self, file: &Path) {
        let count = self.count;
        self.read_file(file, Namespace::Unset);
        if self.count > count {
            let problem =
                Problem::of_file(file, "holds an MLPipeline; only Secrets and ConfigMaps are read from it");
            self.problems.push(problem);
        }
    }

    fn read_file(&mut self, file: &Path, namespace: Namespace<'_>) {
        let bytes = match read_bounded(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                return self.problems.push(Problem::of_file(file, format!("cannot be read: {error}")));
            }
        };
        let documents = yaml::read_documents(&bytes);
        if documents.is_empty() {
            self.problems.push(Problem::of_file(file, "holds no YAML document"));
        }
        let mut seen = BTreeMap::new();
        for document in documents {
            match document {
                Ok(node) => self.take(file, &node, namespace, &mut seen),
                Err(error) => {
                    self.problems.push(Problem { at: error.at, ..Problem::of_file(file, error.problem) });
                }
            }
        }
        self.problems.iter_mut().for_each(Problem::shorten);
    }

    /// Takes one document, or the items of a list. `seen` holds where the file's pipelines stand, by namespace and name.
    fn take(
        &mut self,
        file: &Path,
        node: &Node,
        namespace: Namespace<'_>,
        seen: &mut BTreeMap<String, Position>,
    ) {
        let wrong = |path: &str, problem: String| Problem {
            path: path.to_owned(),
            at: Some(node.find(path)),
            ..Problem::of_file(file, problem)
        };
        if !matches!(node.content, Content::Map(_)) {
            return self.problems.push(wrong(
                "",
                "is not a valid Kubernetes object, which is a map with apiVersion and kind".into(),
            ));
        }
        let of = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        let (api_version, kind) = (of("apiVersion"), of("kind"));
        if let Some(items) = items_of_list(node, api_version, kind) {
            return items.iter().for_each(|item| self.take(file, item, namespace, seen));
        }
        let group = api_version.split('/').next().unwrap_or_default();
        let ours = group == mlpipeline_crds::GROUP || kind.eq_ignore_ascii_case("MLPipeline");
        match (api_version, kind) {
            (API_VERSION, "MLPipeline") => {
                self.count += 1;
                let (found, mut problems) = pipeline::read(file, node, namespace);
                problems.extend(repeated(file, node, namespace, seen));
                let noted = found.iter().flat_map(notes);
                let about = |note| format!("{}: {note}", file.display());
                self.notes.extend(noted.map(about));
                self.pipelines.extend(found.map(|pipeline| Found { file: file.to_owned(), pipeline }));
                self.problems.extend(problems);
            }
            (_, "MLPipeline") => {
                self.count += 1;
                let found = if api_version.is_empty() {
                    "is missing".into()
                } else {
                    format!("is \"{api_version}\"")
                };
                self.problems.push(wrong("apiVersion", format!("{found}; {API_VERSION} is needed")));
            }
            ("", _) | (_, "") => {
                let missing = if kind.is_empty() { "kind" } else { "apiVersion" };
                let hint = format!("an MLPipeline has apiVersion: {API_VERSION} and kind: MLPipeline");
                self.problems.push(wrong(missing, "is missing".into()).with_hint(hint));
            }
            _ if ours => {
                self.count += 1;
                let problem = wrong("kind", format!("is \"{kind}\"; MLPipeline is needed"));
                self.problems.push(problem);
            }
            ("v1", "ConfigMap" | "Secret") => {
                if let Err(problem) = self.objects.add(kind, node) {
                    self.problems.push(wrong("", format!("is not a valid {kind}: {problem}")));
                }
            }
            ("v1", "Namespace") => {}
            _ => {
                let name =
                    node.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text);
                self.notes.push(format!("{}: {kind}/{} is ignored", file.display(), name.unwrap_or("?")));
            }
        }
    }
}

/// The items of a list of objects, as `kubectl get -o yaml` writes it.
fn items_of_list<'a>(node: &'a Node, api_version: &str, kind: &str) -> Option<&'a [Node]> {
    let is_list = match api_version {
        "v1" => ["List", "SecretList", "ConfigMapList"].contains(&kind),
        API_VERSION => kind == "MLPipelineList",
        _ => false,
    };
    match &node.get("items")?.content {
        Content::List(items) if is_list => Some(items),
        _ => None,
    }
}

/// What is wrong with a pipeline that stands in the file already: when applied, the later one would replace the earlier.
fn repeated(
    file: &Path,
    node: &Node,
    namespace: Namespace<'_>,
    seen: &mut BTreeMap<String, Position>,
) -> Option<Problem> {
    let name = pipeline::name_of(node, namespace)?;
    let at = node.find("metadata.name");
    let Some(earlier) = seen.get(&name) else {
        seen.insert(name, at);
        return None;
    };
    let problem =
        format!("is that of the pipeline at line {} too: the later would replace the earlier", earlier.line);
    let problem = Problem {
        at: Some(at),
        path: "metadata.name".to_owned(),
        pipeline: Some(name),
        ..Problem::of_file(file, problem)
    };
    Some(problem.with_hint("give one of them another name or namespace, or remove it"))
}

/// Reads a file, or standard input for `-`, up to one byte more than is allowed.
fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else if file.is_dir() {
        return Err(std::io::Error::other("it is a folder; name the files in it"));
    } else {
        std::fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
