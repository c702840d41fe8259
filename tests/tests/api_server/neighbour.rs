//! Definitions of other programs on the API server: those that `tests/tools/crds.sh` has fetched.

use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use mlpipeline_tests::{programs, wait_until};
use serde_json::Value;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use super::operator_bed::LONG;

/// Every document of the files that were fetched for a program.
pub fn recorded(program: &str) -> Vec<Value> {
    let script = programs::repository().join("tests/tools/crds.sh");
    let output = std::process::Command::new(script).args(["--where", program]).output().unwrap();
    let folder = String::from_utf8(output.stdout).unwrap();
    let files = std::fs::read_dir(folder.trim()).unwrap_or_else(|error| {
        panic!("{error}: run `tests/tools/crds.sh {program}`");
    });
    let texts = files.flatten().map(|file| std::fs::read_to_string(file.path()).unwrap());
    let mut documents = Vec::new();
    for text in texts {
        let parts = text.split("\n---").map(|part| part.trim_start_matches("---"));
        documents.extend(
            parts.filter(|part| !part.trim().is_empty()).map(|part| serde_saphyr::from_str(part).unwrap()),
        );
    }
    documents
}

/// The definitions among them.
pub fn recorded_crds(program: &str) -> Vec<Value> {
    recorded(program).into_iter().filter(|document| document["kind"] == "CustomResourceDefinition").collect()
}

/// Applies definitions, and waits until their APIs are there.
pub async fn install(client: &Client, definitions: &[Value]) {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let apply = PatchParams::apply("tests").force();
    for definition in definitions {
        let name = definition["metadata"]["name"].as_str().unwrap();
        crds.patch(name, &apply, &Patch::Apply(definition))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        wait_until(&format!("{name} is established"), LONG, async || {
            let status = crds.get(name).await.map_err(|error| error.to_string())?.status.unwrap_or_default();
            let conditions = status.conditions.unwrap_or_default();
            let is_there = conditions.iter().any(|now| now.type_ == "Established" && now.status == "True");
            if is_there { Ok(()) } else { Err(format!("{conditions:?}")) }
        })
        .await;
    }
}
