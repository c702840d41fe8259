//! Where pods ask to be: together where their volume asks for it, apart where it does not, and as before where they run already.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodSpec;
use mlpipeline_core::child_kind::Child;
use mlpipeline_core::children::{BuildSettings, build};
use mlpipeline_core::notes::notes;
use mlpipeline_core::observed::{Observed, ObservedLongRunning, ObservedStep};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Schedules, Work, plan};
use mlpipeline_core::template_version::TemplateVersion;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{AccessMode, MLPipeline};
use serde_json::{Value, json};

fn pipeline(volume: &Value, steps: &Value) -> ValidatedPipeline {
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
        "metadata": {"name": "web", "namespace": "ml", "uid": "u"},
        "spec": {"storage": {"volume": volume}, "steps": steps},
    });
    let resource: MLPipeline = serde_json::from_value(resource).expect("a pipeline");
    validate(&resource).expect("the pipeline makes sense")
}

fn web(replicas: i32, pod: &Value) -> Value {
    json!([{"name": "api", "pod": pod, "run": {"image": "x", "workload": "Deployment", "replicas": replicas}}])
}

/// The pods of the only long-running step, and whether their Deployment records how they are made.
fn pods(pipeline: &ValidatedPipeline, observed: &Observed) -> (PodSpec, bool) {
    let settings = BuildSettings { worker_image: "worker:1".into(), cluster_user_ids: false };
    let decided = plan(pipeline, observed, Timestamp::UNIX_EPOCH, Schedules::Keep);
    let deployment = build(pipeline, &decided, &settings).into_iter().find_map(|child| match child {
        Child::Deployment(deployment) => Some(deployment),
        _ => None,
    });
    let deployment = deployment.expect("a Deployment");
    let annotations = deployment.metadata.annotations.unwrap_or_default();
    let pods = deployment.spec.expect("a spec").template.spec.expect("pods");
    (pods, annotations.contains_key("mlpipeline.dev/template"))
}

/// The world in which the step's pods run already, made by this version of the template.
fn runs_by(pipeline: &ValidatedPipeline, template: TemplateVersion) -> Observed {
    let decided = plan(pipeline, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    let Some(Work::LongRunning(tracks)) = &decided.steps[0].work else { panic!("pods that stay") };
    let found = ObservedLongRunning {
        key: Some(tracks.stable.key.clone()),
        template,
        desired: 2,
        ready: 2,
        ..ObservedLongRunning::default()
    };
    let step = ObservedStep { long_running: Some(found), ..ObservedStep::default() };
    Observed { steps: [("api".to_owned(), step)].into(), ..Observed::default() }
}

fn spread_over(pods: &PodSpec) -> Vec<&str> {
    pods.topology_spread_constraints
        .iter()
        .flatten()
        .map(|constraint| constraint.topology_key.as_str())
        .collect()
}

fn are_together(pods: &PodSpec) -> bool {
    pods.affinity.as_ref().is_some_and(|affinity| affinity.pod_affinity.is_some())
}

#[test]
fn d4_replicas_that_can_move_ask_to_be_spread_over_nodes_and_zones() {
    let nothing = Observed::default();
    let many = json!({"accessModes": ["ReadWriteMany"]});
    let (found, _) = pods(&pipeline(&many, &web(2, &json!({}))), &nothing);
    assert_eq!(spread_over(&found), ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]);
    assert!(!are_together(&found));
    let (found, _) = pods(&pipeline(&many, &web(1, &json!({}))), &nothing);
    assert!(spread_over(&found).is_empty(), "one pod");
    let own = json!({"topologySpreadConstraints": [
        {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"},
    ]});
    let (found, _) = pods(&pipeline(&many, &web(2, &own)), &nothing);
    assert_eq!(spread_over(&found), ["rack"], "the spec says how");
}

#[test]
fn d4_pods_on_a_volume_of_one_node_ask_to_be_together_also_on_a_named_claim() {
    let nothing = Observed::default();
    let (found, _) = pods(&pipeline(&json!({"size": "1Gi"}), &web(2, &json!({}))), &nothing);
    assert!(are_together(&found) && spread_over(&found).is_empty());
    let named = pipeline(&json!({"claimName": "shared"}), &web(2, &json!({})));
    assert!(!are_together(&pods(&named, &nothing).0), "its modes are not known");
    for (mode, together) in [(AccessMode::ReadWriteOnce, true), (AccessMode::ReadWriteMany, false)] {
        let storage = named.storage.clone().with_claim_modes(vec![mode]);
        let (found, _) = pods(&ValidatedPipeline { storage, ..named.clone() }, &nothing);
        assert_eq!((are_together(&found), spread_over(&found).is_empty()), (together, together), "{mode:?}");
    }
}

#[test]
fn d4_a_volume_that_only_one_node_writes_to_is_of_one_node_whatever_others_may_read() {
    let nothing = Observed::default();
    let read = json!({"accessModes": ["ReadWriteOnce", "ReadOnlyMany"]});
    let twice = json!({"accessModes": ["ReadWriteOnce", "ReadWriteOnce"]});
    for volume in [&read, &twice] {
        let (found, _) = pods(&pipeline(volume, &web(2, &json!({}))), &nothing);
        assert!(are_together(&found) && spread_over(&found).is_empty(), "{volume}");
    }
    let many = json!({"accessModes": ["ReadWriteOnce", "ReadWriteMany"]});
    let (found, _) = pods(&pipeline(&many, &web(2, &json!({}))), &nothing);
    assert!(!are_together(&found) && !spread_over(&found).is_empty());
    let read = pipeline(&read, &web(2, &json!({})));
    let (found, _) = pods(&read, &runs_by(&read, TemplateVersion::First));
    assert!(!are_together(&found) && spread_over(&found).is_empty(), "an upgrade replaces no pod");
}

#[test]
fn s5_pods_that_run_keep_the_template_that_they_were_made_by() {
    let many = pipeline(&json!({"accessModes": ["ReadWriteMany"]}), &web(2, &json!({})));
    let (found, records) = pods(&many, &runs_by(&many, TemplateVersion::First));
    assert!(spread_over(&found).is_empty() && !records, "an upgrade replaces no pod");
    let (found, records) = pods(&many, &runs_by(&many, TemplateVersion::NEWEST));
    assert!(!spread_over(&found).is_empty() && records);
    let named = pipeline(&json!({"claimName": "shared"}), &web(2, &json!({})));
    let storage = named.storage.clone().with_claim_modes(vec![AccessMode::ReadWriteOnce]);
    let named = ValidatedPipeline { storage, ..named };
    assert!(!are_together(&pods(&named, &runs_by(&named, TemplateVersion::First)).0));
}

#[test]
fn s5_new_pods_that_stay_have_a_limit_on_scratch_and_those_that_run_keep_what_they_have() {
    let many = pipeline(&json!({"accessModes": ["ReadWriteMany"]}), &web(2, &json!({})));
    let limit = |found: &PodSpec| {
        let volumes = found.volumes.as_deref().unwrap_or_default();
        let scratch = volumes.iter().find(|volume| volume.name == "tmp").expect("scratch");
        scratch.empty_dir.as_ref().expect("on the node").size_limit.as_ref().map(|limit| limit.0.clone())
    };
    assert_eq!(limit(&pods(&many, &Observed::default()).0).as_deref(), Some("256Gi"));
    for version in [TemplateVersion::First, TemplateVersion::Placed, TemplateVersion::Bound] {
        let (found, _) = pods(&many, &runs_by(&many, version));
        assert_eq!(limit(&found), None, "{version:?}: an upgrade replaces no pod");
    }
    assert_eq!(limit(&pods(&many, &runs_by(&many, TemplateVersion::Limited)).0).as_deref(), Some("256Gi"));
}

#[test]
fn a_step_that_asks_for_another_node_than_pods_that_stay_on_its_volume_is_noted() {
    let gpu = json!({"resources": {"limits": {"nvidia.com/gpu": 1}}});
    let fast = json!({"nodeSelector": {"pool": "fast"}});
    let both = json!({"nodeSelector": {"pool": "fast"}, "resources": {"limits": {"nvidia.com/gpu": 1}}});
    let rows = [
        (json!({}), json!({}), None),
        (gpu.clone(), json!({}), Some("asks for nvidia.com/gpu")),
        (gpu.clone(), gpu, None),
        (fast.clone(), json!({}), Some("nodes with the label pool=fast")),
        (both, fast.clone(), None),
        (json!({}), fast, None),
    ];
    for (of_work, of_api, expected) in rows {
        let steps = json!([
            {"name": "work", "pod": of_work, "run": {"image": "x"}},
            {"name": "api", "pod": of_api, "run": {"image": "x", "workload": "Deployment"}, "after": ["work"]},
        ]);
        let found = notes(&pipeline(&json!({"size": "1Gi"}), &steps));
        match (found.as_slice(), expected) {
            ([], None) => {}
            ([note], Some(expected)) => {
                assert!(note.contains(expected) && note.contains("step work"), "{note}")
            }
            other => panic!("{steps}: {other:?}"),
        }
        let shared = pipeline(&json!({"accessModes": ["ReadWriteMany"]}), &steps);
        assert!(notes(&shared).is_empty(), "its pods can be anywhere");
    }
}

/// Whether two pods like this wish to be apart.
fn is_spread(pod: &Value, claims: &[(&str, AccessMode)]) -> bool {
    let mut run = pipeline(&json!({"accessModes": ["ReadWriteMany"]}), &web(2, pod));
    run.claims = claims.iter().map(|(name, mode)| ((*name).to_owned(), vec![*mode])).collect();
    !spread_over(&pods(&run, &Observed::default()).0).is_empty()
}

#[test]
fn d4_pods_that_anything_binds_to_one_node_do_not_ask_to_be_apart() {
    let volume = json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]});
    let label = |values: Value| json!({"key": "kubernetes.io/hostname", "operator": "In", "values": values});
    let affinity = |terms: Value| {
        json!({"affinity": {"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
    };
    let field = json!({"key": "metadata.name", "operator": "In", "values": ["n1"]});
    let near = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
        "topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"mlpipeline.dev/step": "api"}}}]}}});
    let claim = |mode| vec![("c", mode)];
    let rows = [
        (json!({}), vec![], true),
        (volume.clone(), vec![], true),
        (volume.clone(), claim(AccessMode::ReadWriteMany), true),
        (volume.clone(), claim(AccessMode::ReadOnlyMany), true),
        (volume, claim(AccessMode::ReadWriteOnce), false),
        (json!({"nodeSelector": {"kubernetes.io/hostname": "n1"}}), vec![], false),
        (json!({"nodeSelector": {"pool": "a"}}), vec![], true),
        (affinity(json!([{"matchExpressions": [label(json!(["n1"]))]}])), vec![], false),
        (affinity(json!([{"matchFields": [field]}])), vec![], false),
        (affinity(json!([{"matchExpressions": [label(json!(["n1", "n2"]))]}])), vec![], true),
        (
            affinity(
                json!([{"matchExpressions": [label(json!(["n1"]))]}, {"matchExpressions": [label(json!(["n2"]))]}]),
            ),
            vec![],
            true,
        ),
        (near, vec![], false),
    ];
    for (pod, claims, expected) in rows {
        assert_eq!(is_spread(&pod, &claims), expected, "{pod} {claims:?}");
    }
}

#[test]
fn d1_pods_are_where_the_volume_that_is_there_lets_them_whatever_the_spec_asks_for_since() {
    let nothing = Observed::default();
    let mut edited = pipeline(&json!({"accessModes": ["ReadWriteMany"]}), &web(2, &json!({})));
    assert!(!are_together(&pods(&edited, &nothing).0));
    edited.claims = [("web-storage".to_owned(), vec![AccessMode::ReadWriteOnce])].into();
    assert!(are_together(&pods(&edited, &nothing).0));
    assert!(
        are_together(&pods(&edited, &runs_by(&edited, TemplateVersion::First)).0),
        "they stay as they are"
    );
}

#[test]
fn s5_pods_that_run_keep_their_wish_to_be_apart_until_their_work_changes() {
    let named = json!({"nodeSelector": {"kubernetes.io/hostname": "n1"}});
    let named = pipeline(&json!({"accessModes": ["ReadWriteMany"]}), &web(2, &named));
    assert!(!spread_over(&pods(&named, &runs_by(&named, TemplateVersion::Placed)).0).is_empty());
    assert!(spread_over(&pods(&named, &runs_by(&named, TemplateVersion::NEWEST)).0).is_empty());
}
