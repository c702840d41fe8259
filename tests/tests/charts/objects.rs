//! Objects of Kubernetes by kind, namespace and name, so that two ways to make them can be compared.

use std::collections::BTreeMap;
use std::process::Command;

use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::programs;
use serde_json::Value;

/// The objects of a text of several YAML documents.
pub fn documents(text: &str) -> Vec<Value> {
    let parts = text.split("\n---").filter(|part| part.lines().any(is_content));
    parts.map(|part| serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{error}: {part}"))).collect()
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && line != "---"
}

/// What `kubectl kustomize` makes of a folder.
pub fn kustomize(folder: &str) -> String {
    let program = find_program("kubectl").unwrap_or_else(|problem| panic!("{problem}"));
    let folder = programs::repository().join(folder);
    let output = Command::new(program).arg("kustomize").arg(&folder).output().expect("kubectl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Objects by "Kind namespace/name".
#[derive(Debug, PartialEq)]
pub struct Objects(pub BTreeMap<String, Value>);

impl Objects {
    /// All of these objects, each of which must be there once.
    pub fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut by_name = BTreeMap::new();
        for object in objects {
            let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
            let name =
                format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
            assert!(by_name.insert(name.clone(), object).is_none(), "{name} is there twice");
        }
        Self(by_name)
    }

    /// Without what only says which tool installs them.
    pub fn without_marks_of_the_installer(mut self) -> Self {
        for object in self.0.values_mut() {
            let Some(metadata) = object["metadata"].as_object_mut() else { continue };
            for (field, marks) in [
                (
                    "labels",
                    ["app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"].as_slice(),
                ),
                ("annotations", ["helm.sh/resource-policy"].as_slice()),
            ] {
                let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) else { continue };
                marks.iter().for_each(|mark| drop(map.remove(*mark)));
                if map.is_empty() {
                    metadata.remove(field);
                }
            }
        }
        self
    }

    pub fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.0.keys()))
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn kinds(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
