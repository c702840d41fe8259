//! The committed CustomResourceDefinition is the one that the types make.

use std::path::Path;

use mlpipeline_operator::crd_file::crd_yaml;

#[test]
fn the_committed_crd_is_not_stale() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/mlpipeline.dev_mlpipelines.yaml");
    let committed = std::fs::read_to_string(&path).expect("the committed CRD");
    assert!(
        committed == crd_yaml().expect("YAML"),
        "stale: run `cargo run -p mlpipeline-operator -- crd > crds/mlpipeline.dev_mlpipelines.yaml`"
    );
}

#[test]
fn the_crd_reads_back_as_what_it_was_and_is_small_enough_for_an_annotation() {
    let yaml = crd_yaml().expect("YAML");
    let read: serde_json::Value = serde_saphyr::from_str(&yaml).expect("YAML that reads back");
    let made = serde_json::to_value(mlpipeline_crds::custom_resource_definition()).expect("JSON");
    assert_eq!(read, made);
    // `kubectl apply` keeps the whole object in an annotation, which may have 256 KiB.
    assert!(serde_json::to_string(&made).expect("JSON").len() < 256 * 1024);
}
