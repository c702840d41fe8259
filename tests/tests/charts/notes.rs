//! What helm prints after an installation.

use mlpipeline_core::validate::validate;
use mlpipeline_crds::MLPipeline;

use super::helm::{NAMESPACE, chart, helm};

/// The notes of an installation with these settings.
fn notes(settings: &[&str]) -> String {
    let chart = chart();
    let fixed =
        ["install", "mlpipeline", chart.to_str().unwrap(), "--namespace", NAMESPACE, "--dry-run=client"];
    let settings: Vec<String> = settings.iter().map(|setting| format!("--set={setting}")).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let output = helm(&[fixed.as_slice(), &settings].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.split_once("\nNOTES:\n").unwrap_or_else(|| panic!("no notes in {text}")).1.to_owned()
}

#[test]
fn the_pipeline_of_the_notes_is_a_valid_one_that_starts_nothing() {
    let notes = notes(&[]);
    let indented = notes.lines().skip_while(|line| !line.contains("apiVersion:"));
    let yaml: Vec<&str> = indented
        .take_while(|line| !line.is_empty())
        .map(|line| line.strip_prefix("     ").unwrap())
        .collect();
    let pipeline: MLPipeline = serde_saphyr::from_str(&yaml.join("\n")).unwrap();
    assert_eq!(pipeline.spec.suspend, Some(true));
    validate(&pipeline).unwrap_or_else(|errors| panic!("{errors:?}"));
}

#[test]
fn the_notes_name_the_next_commands_and_what_was_left_to_others() {
    let all = notes(&[]);
    for part in
        ["all namespaces", "rollout status deployment/mlpipeline-operator", "test mlpipeline", "keeps"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
    let some = notes(&["namespaces={team-a,team-b}", "crds.enabled=false", "rbac.create=false"]);
    for part in ["team-a, team-b", "-n team-a apply", "crds.enabled is false", "rbac.create is false"] {
        assert!(some.contains(part), "{part}: {some}");
    }
    assert!(notes(&["replicas=0"]).contains("replicas is 0: nothing looks after pipelines"));
    assert!(notes(&["crds.keep=false"]).contains("deletes all pipelines"));
}

/// Nothing aggregates into the roles of a namespace: without a word, only administrators of the cluster could create pipelines.
#[test]
fn the_notes_say_who_may_create_pipelines_and_how_to_give_the_right() {
    let all = notes(&[]);
    assert!(all.contains("the cluster's edit or admin role") && !all.contains("create rolebinding"), "{all}");
    let some = notes(&["namespaces={team-a,team-b}"]);
    for part in
        ["only administrators of the cluster", "-n team-a create rolebinding", "--role=mlpipeline-editor"]
    {
        assert!(some.contains(part), "{part}: {some}");
    }
    for none in ["rbac.create=false", "rbac.aggregateRoles=false"] {
        let notes = notes(&[none]);
        assert!(
            !notes.contains("edit or admin") && notes.contains("files/user-roles.yaml"),
            "{none}: {notes}"
        );
    }
    let without = notes(&["namespaces={team-a}", "rbac.create=false"]);
    for part in ["helm test", "mlpipeline-test", "create, get and delete", "team-a"] {
        assert!(without.contains(part), "{part}: {without}");
    }
}
