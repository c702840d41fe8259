//! Every object that a plan asks for, as it would be sent: a change of any of them is seen in review.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use mlpipeline_core::child_kind::{Child, ChildKind};
use mlpipeline_core::children::{BuildSettings, applied_kinds, build};
use mlpipeline_core::labels::label;
use mlpipeline_core::observed::{Observed, ObservedRun, RunPhase};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{RunWork, Schedules, Work, plan};
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{AccessMode, Action, MLPipeline, StepReport, StepSpec};

/// A listing each minute, three continuous steps, and an API that gets the rows.
const CONTINUOUS: &str = include_str!("../../../deploy/samples/k8s-pipe/pipeline.yaml");

fn pipeline(yaml: &str) -> ValidatedPipeline {
    let resource: MLPipeline = serde_saphyr::from_str(yaml).expect("the file holds a pipeline");
    validate(&resource).expect("the pipeline makes sense")
}

fn settings() -> BuildSettings {
    BuildSettings { worker_image: "mlpipeline-worker:test".into(), cluster_user_ids: false }
}

/// Everything that is built until nothing more happens, when every run succeeds.
fn life(pipeline: &ValidatedPipeline) -> Vec<Child> {
    let mut observed = Observed::default();
    let mut children: Vec<Child> = Vec::new();
    for minute in 0..10 {
        let now = Timestamp::from_second(1_795_000_000 + minute * 60).expect("a time");
        let decided = plan(pipeline, &observed, now, Schedules::Keep);
        for child in build(pipeline, &decided, &settings()) {
            if !children.contains(&child) {
                children.push(child);
            }
        }
        for step in &decided.steps {
            let (Some(Work::Once(run) | Work::Scheduled { run, .. }), runs) =
                (&step.work, &mut observed.steps.entry(step.name.clone()).or_default().runs)
            else {
                continue;
            };
            if !runs.iter().any(|known| (&known.key, known.piece) == (&run.key, run.piece)) {
                runs.push(succeeded(run, matches!(step.work, Some(Work::Scheduled { .. })), now));
            }
        }
    }
    children
}

fn succeeded(run: &RunWork, scheduled: bool, now: Timestamp) -> ObservedRun {
    let mut report = StepReport::succeeded(Some(run.key.clone()));
    report.metrics.insert("accuracy".into(), 0.97);
    ObservedRun {
        name: format!("{}-{}", run.piece.name(), run.key),
        key: run.key.clone(),
        attempt: 1,
        piece: run.piece,
        scheduled,
        fingerprint: Some(run.fingerprint.clone()),
        settings: Some(run.settings.clone()),
        default_image: None,
        phase: RunPhase::Succeeded,
        is_idle: false,
        created: None,
        started: Some(now),
        finished: Some(now),
        pods: 1,
        report: Some(report),
        pending_report: None,
    }
}

fn pod_template(child: &Child) -> Option<&PodTemplateSpec> {
    match child {
        Child::Job(job) => job.spec.as_ref().map(|spec| &spec.template),
        Child::CronJob(cron) => cron.spec.as_ref()?.job_template.spec.as_ref().map(|spec| &spec.template),
        Child::Deployment(found) => found.spec.as_ref().map(|spec| &spec.template),
        Child::StatefulSet(found) => found.spec.as_ref().map(|spec| &spec.template),
        Child::DaemonSet(found) => found.spec.as_ref().map(|spec| &spec.template),
        _ => None,
    }
}

#[test]
fn the_crash_course_becomes_these_objects() {
    insta::assert_yaml_snapshot!(life(&pipeline(include_str!("data/crash-course.yaml"))));
}

#[test]
fn every_child_of_a_step_is_of_a_kind_that_its_spec_asks_for() {
    for yaml in [include_str!("data/crash-course.yaml"), include_str!("data/workloads.yaml"), CONTINUOUS] {
        let pipeline = pipeline(yaml);
        for child in life(&pipeline) {
            let object = serde_json::to_value(&child).expect("JSON");
            let label = object["metadata"]["labels"][label::STEP].as_str();
            let Some(step) = label.and_then(|name| pipeline.step(name)) else { continue };
            let is_applied = applied_kinds(&pipeline, step).contains(&child.kind());
            let is_kept = matches!(child.kind(), ChildKind::Job | ChildKind::PersistentVolumeClaim);
            assert!(is_applied || is_kept, "{} has a {:?}, which would be deleted", step.name, child.kind());
        }
    }
}

#[test]
fn pods_behind_an_ingress_answer_below_its_path() {
    for (path, prefix) in [("/models/iris", Some("/models/iris")), ("/v1/", Some("/v1/")), ("/", None)] {
        let yaml = include_str!("data/crash-course.yaml");
        let yaml = yaml.replace("host: iris.example.com", &format!("host: iris.example.com, path: {path}"));
        let children = life(&pipeline(&yaml));
        let given: Vec<Option<String>> = children
            .iter()
            .filter(|child| matches!(child, Child::Deployment(_)))
            .filter_map(|child| pod_template(child)?.spec.as_ref()?.containers.first())
            .map(|container| {
                let variables = container.env.iter().flatten();
                let mut own = variables.filter(|variable| variable.name == "MLPIPELINE_SERVE_PATH_PREFIX");
                own.next().and_then(|variable| variable.value.clone())
            })
            .collect();
        assert_eq!(given, [prefix.map(ToOwned::to_owned)], "{path}");
    }
}

#[test]
fn trials_that_pods_share_become_an_indexed_job_before_the_one_that_makes_the_model() {
    let jobs: Vec<Child> = life(&pipeline(include_str!("data/plan/tuned.yaml")))
        .into_iter()
        .filter(|child| matches!(child, Child::Job(_)))
        .collect();
    insta::assert_yaml_snapshot!(jobs);
}

#[test]
fn every_workload_of_a_run_step_becomes_these_objects() {
    insta::assert_yaml_snapshot!(life(&pipeline(include_str!("data/workloads.yaml"))));
}

#[test]
fn a_chain_of_continuous_steps_becomes_these_objects() {
    insta::assert_yaml_snapshot!(life(&pipeline(CONTINUOUS)));
}

#[test]
fn every_pod_keeps_to_the_restricted_pod_security_standard() {
    for yaml in [include_str!("data/crash-course.yaml"), include_str!("data/workloads.yaml"), CONTINUOUS] {
        for child in life(&pipeline(yaml)) {
            let Some(pod) = pod_template(&child).and_then(|template| template.spec.as_ref()) else {
                continue;
            };
            let of_pod = pod.security_context.as_ref().expect("a security context");
            assert_eq!(of_pod.run_as_non_root, Some(true));
            assert!(of_pod.run_as_user.is_some_and(|user| user > 0));
            assert_eq!(
                of_pod.seccomp_profile.as_ref().map(|profile| profile.type_.as_str()),
                Some("RuntimeDefault")
            );
            assert_eq!(pod.automount_service_account_token, Some(false));
            for container in &pod.containers {
                let context = container.security_context.as_ref().expect("a security context");
                assert_eq!(context.allow_privilege_escalation, Some(false));
                assert_eq!(context.read_only_root_filesystem, Some(true));
                let dropped =
                    context.capabilities.as_ref().and_then(|capabilities| capabilities.drop.clone());
                assert_eq!(dropped, Some(vec!["ALL".to_owned()]));
            }
        }
    }
}

#[test]
fn no_object_holds_a_field_that_is_empty_by_accident() {
    for yaml in [include_str!("data/crash-course.yaml"), include_str!("data/workloads.yaml"), CONTINUOUS] {
        for child in life(&pipeline(yaml)) {
            let text = serde_json::to_string(&child).expect("JSON");
            for empty in ["\"name\":\"\"", "\"selector\":{}", "\"template\":{}", ":null"] {
                assert!(!text.contains(empty), "{empty} in {text}");
            }
        }
    }
}

#[test]
fn every_secret_of_an_input_or_output_has_a_prefix_of_its_own_in_the_pod() {
    let etl = pipeline(include_str!("../../../deploy/samples/etl/pipeline.yaml"));
    let given: Vec<Vec<(String, String)>> = life(&etl)
        .iter()
        .filter_map(pod_template)
        .map(|template| {
            let sources = template.spec.iter().flat_map(|pod| &pod.containers).flat_map(|one| &one.env_from);
            let named = sources.flatten().map(|source| {
                let secret = source.secret_ref.as_ref().map(|secret| secret.name.clone());
                (source.prefix.clone().unwrap_or_default(), secret.unwrap_or_default())
            });
            named.collect()
        })
        .collect();
    let pair = |prefix: &str, secret: &str| (format!("MLPIPELINE_SECRET_{prefix}_"), secret.to_owned());
    let revenue =
        vec![pair("INPUT_orders", "warehouse"), pair("INPUT_customers", "lake"), pair("OUTPUT", "lake")];
    assert_eq!(given, [revenue, vec![pair("OUTPUT", "warehouse")]]);
}

/// What the kubelet makes of an argument in which no variable is referred to.
fn expanded(argument: &str) -> String {
    let mut text = String::new();
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once('$') {
        assert!(!after.starts_with('('), "the kubelet may put a variable in place of this: ${after:.20}");
        text.push_str(before);
        text.push('$');
        rest = after.strip_prefix('$').unwrap_or(after);
    }
    text + rest
}

#[test]
fn a_step_reaches_the_worker_as_it_was_written_however_long_and_with_dollar_signs() {
    let check = format!(
        "{{sql: \"SELECT count(*) FROM output WHERE a = '$(HOME) $$ $ {}'\", equals: 0}}",
        "x".repeat(3000)
    );
    let yaml = format!(
        "{{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {{name: long}}, spec: {{steps: [\
         {{name: data, prepare: {{sql: SELECT 1 AS a, checks: [{}]}}}}]}}}}",
        vec![check; 64].join(", ")
    );
    let children = life(&pipeline(&yaml));
    let template = children.iter().find_map(pod_template).and_then(|template| template.spec.as_ref());
    let args = template.and_then(|pod| pod.containers.first()?.args.clone()).expect("arguments");
    let end = args.iter().position(|argument| argument == "--storage").expect("--storage");
    let parts = args.get(1..end).expect("the step's parts");
    assert!(
        parts.len() > 1 && args.iter().all(|argument| argument.len() < 128 << 10),
        "Linux takes no longer ones"
    );
    let text: String = parts.iter().map(|part| expanded(part)).collect();
    let spec: StepSpec = serde_json::from_str(&text).expect("a step");
    let Action::Prepare(prepare) = spec.action else { panic!("not a prepare step") };
    assert!(prepare.checks.iter().all(|check| check.sql.as_ref().expect("SQL").contains("'$(HOME) $$ $ x")));
}

#[test]
fn the_path_before_a_servers_own_reaches_it_as_it_was_written() {
    for (path, expected) in
        [("/v1", "/v1"), ("/a$b$", "/a$b$"), ("/$$a/$(POD_NAME)/$$(b)", "/$$$a/$$(POD_NAME)/$$$$(b)")]
    {
        let yaml = format!(
            "{{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {{name: p, namespace: ml, uid: u}}, spec: {{steps: [\
             {{name: train, train: {{data: {{uri: 'file:x.csv'}}, target: x, algorithm: {{linearRegression: {{}}}}}}}}, \
             {{name: api, serve: {{model: {{step: train}}, ingress: {{host: a.example.com, path: '{path}'}}}}}}]}}}}"
        );
        let children = life(&pipeline(&yaml));
        let variables = children.iter().filter_map(pod_template).filter_map(|template| {
            let containers = &template.spec.as_ref()?.containers;
            let env = containers.first()?.env.as_ref()?;
            env.iter().find(|variable| variable.name == "MLPIPELINE_SERVE_PATH_PREFIX")?.value.clone()
        });
        let values: Vec<String> = variables.collect();
        assert_eq!(values, [expected], "{path}");
        assert_eq!(expanded(expected), path);
    }
}

#[test]
fn d4_a_budget_protects_only_pods_that_can_move() {
    let has_budget = |modes: &str, replicas: i32, pod: &str, claim: Option<AccessMode>| {
        let yaml = format!(
            "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {{name: iris, namespace: ml, uid: u}}
spec:
  storage: {{volume: {{accessModes: [{modes}]}}}}
  steps:
    - {{name: train, train: {{data: {{uri: 'file:x.csv'}}, target: x, algorithm: {{logisticRegression: {{}}}}}}}}
    - {{name: api, pod: {pod}, serve: {{model: {{step: train}}, replicas: {replicas}}}}}
"
        );
        let mut pipeline = pipeline(&yaml);
        pipeline.claims = claim.map(|mode| ("shared".to_owned(), vec![mode])).into_iter().collect();
        let budget = life(&pipeline).iter().find_map(|child| match child {
            Child::PodDisruptionBudget(budget) => budget.spec.clone(),
            _ => None,
        });
        budget.map(|spec| spec.unhealthy_pod_eviction_policy.unwrap_or_default())
    };
    let many = |replicas, pod, claim| has_budget("ReadWriteMany", replicas, pod, claim);
    assert_eq!(many(2, "{}", None).as_deref(), Some("AlwaysAllow"));
    assert_eq!(many(1, "{}", None), None, "a drain would never end");
    let one_node = "no pod becomes ready elsewhere before all have left the node";
    assert_eq!(has_budget("ReadWriteOnce", 2, "{}", None), None, "{one_node}");
    assert_eq!(many(2, "{nodeSelector: {kubernetes.io/hostname: n1}}", None), None, "{one_node}");
    let volume = "{volumes: [{name: v, persistentVolumeClaim: {claimName: shared}}]}";
    assert_eq!(many(2, volume, Some(AccessMode::ReadWriteOnce)), None, "{one_node}");
    assert!(many(2, volume, Some(AccessMode::ReadWriteMany)).is_some());
}

#[test]
fn d2_a_pod_whose_claim_one_pod_at_a_time_can_mount_goes_before_the_new_one_comes() {
    let strategy = |mode: AccessMode| {
        let mut pipeline = pipeline(
            "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: iris, namespace: ml, uid: u}
spec:
  steps:
    - name: api
      pod: {volumes: [{name: v, persistentVolumeClaim: {claimName: shared}}]}
      run: {image: nginx, workload: Deployment}
",
        );
        pipeline.claims = [("shared".to_owned(), vec![mode])].into();
        let deployment = life(&pipeline).into_iter().find_map(|child| match child {
            Child::Deployment(deployment) => deployment.spec?.strategy?.type_,
            _ => None,
        });
        deployment.expect("a Deployment with a strategy")
    };
    assert_eq!(strategy(AccessMode::ReadWriteOncePod), "Recreate");
    assert_eq!(strategy(AccessMode::ReadWriteOnce), "RollingUpdate");
    assert_eq!(strategy(AccessMode::ReadWriteMany), "RollingUpdate");
}

#[test]
fn pods_name_no_user_and_no_group_where_the_cluster_gives_them_out() {
    let pipeline = pipeline(include_str!("data/crash-course.yaml"));
    let decided = plan(&pipeline, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    let contexts = |cluster_user_ids: bool| {
        let children = build(&pipeline, &decided, &BuildSettings { cluster_user_ids, ..settings() });
        let contexts =
            children.iter().filter_map(|child| pod_template(child)?.spec.clone()?.security_context);
        contexts.collect::<Vec<_>>()
    };
    let (own, clusters) = (contexts(false), contexts(true));
    assert!(!own.is_empty() && own.iter().all(|context| context.run_as_user == Some(65532)));
    for context in clusters {
        assert_eq!((context.run_as_user, context.run_as_group, context.fs_group), (None, None, None));
        assert_eq!(context.run_as_non_root, Some(true));
    }
}
