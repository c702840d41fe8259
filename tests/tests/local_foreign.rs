//! A laptop that runs somebody else's files: what they may not read or swap.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod laptop;

use laptop::Laptop;

/// Rows that are counted, from the manifest's folder.
fn reading(uri: &str) -> String {
    format!(
        "apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: iris, namespace: ml-course}}\nspec:\n  steps:\n    - name: data\n      prepare: {{inputs: [{{name: rows, uri: '{uri}', format: csv}}]}}\n"
    )
}

#[test]
fn files_outside_of_the_manifests_folder_are_not_read() {
    let laptop = Laptop::new();
    for (uri, expected) in [
        ("file:../secret.csv", "does not stay on the volume"),
        ("file:/etc/passwd", "does not stay on the volume"),
        ("file:~/secret.csv", "nothing is at"),
        ("file:link.csv", "passes a symbolic link that leaves"),
        ("file:links/passwd", "passes a symbolic link that leaves"),
        ("file:l*/passwd", "passes a symbolic link that leaves"),
    ] {
        if !laptop.path().join("link.csv").exists() {
            std::os::unix::fs::symlink("/etc/passwd", laptop.path().join("link.csv")).expect("a link");
            std::os::unix::fs::symlink("/etc", laptop.path().join("links")).expect("a link");
        }
        laptop.write("pipeline.yaml", &reading(uri));
        let output = laptop.command(&["local", "pipeline.yaml", "--once"]).output().expect("it runs");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success() && said.contains(expected), "{uri}: {said}");
    }
}

#[test]
fn a_dataset_that_was_swapped_together_with_its_manifest_is_refused_on_a_laptop_too() {
    let laptop = Laptop::new();
    // Another folder's run makes the same revision of other rows.
    let other = Laptop::new();
    let rows = other.read("data/iris.csv");
    other.write("data/iris.csv", &rows.replace("setosa", "virginica"));
    let steps = "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: iris, namespace: ml-course}
spec:
  steps:
    - name: data
      prepare: {inputs: [{name: iris, uri: 'http://iris-data/iris.csv'}], output: {format: csv}}
    - name: count
      prepare: {inputs: [{name: rows, step: data}], sql: SELECT count(*) AS n FROM rows}
";
    for place in [&laptop, &other] {
        place.write("pipeline.yaml", steps);
        assert_eq!(place.once().0, 0);
    }
    let folder = |place: &Laptop| place.result("data", "data.csv").parent().expect("a folder").to_owned();
    for name in ["data.csv", "manifest.json"] {
        std::fs::copy(folder(&other).join(name), folder(&laptop).join(name)).expect("swapped");
    }
    // Finished runs are not done again; the next one that reads the rows compares them.
    laptop.edit("count(*) AS n", "count(*) AS rows");
    let (code, steps) = laptop.once();
    assert_eq!((code, steps["data"].ran), (1, false), "{steps:#?}");
    assert!(steps["count"].message.contains("is not the one that its step reported"), "{steps:#?}");
    assert!(steps["count"].message.contains("rerun token of step \"data\""), "{steps:#?}");
    // As the message says.
    laptop.edit("- name: data", "- name: data\n      rerun: again");
    let (code, steps) = laptop.once();
    assert_eq!(code, 0, "{steps:#?}");
}
