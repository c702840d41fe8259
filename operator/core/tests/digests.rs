//! What steps are given to know artifacts by, so that one which was swapped on the volume is refused; and that no upgrade replaces pods
//! for it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod simulator;

use mlpipeline_core::observed::{ObservedLongRunning, ProbePort};
use mlpipeline_core::plan::{LongRunningWork, Task, Work};
use mlpipeline_core::tracks::Tracks;
use mlpipeline_crds::{Action, DIGESTS_VERSION, DataSource, Digest, MLPipeline, StepReport, StepSpec};
use simulator::{Ending, World};

const CRASH_COURSE: &str = include_str!("data/plan/crash-course.yaml");

/// The crash course with everything done that it asks for.
fn done(yaml: &str) -> World {
    let resource: MLPipeline = serde_saphyr::from_str(yaml).expect("a pipeline");
    let mut world = World::new(resource);
    world.settle(&mut |_, _| Ending::usual());
    world
}

fn edit(world: &mut World, step: &str, change: impl FnOnce(&mut mlpipeline_crds::Step)) {
    let found = world.resource.spec.steps.iter_mut().find(|known| known.name == step);
    change(found.expect("a step"));
}

fn reports<'a>(world: &'a mut World, step: &str) -> impl Iterator<Item = &'a mut StepReport> {
    let found = world.observed.steps.get_mut(step).expect("a step");
    found.runs.iter_mut().filter_map(|run| run.report.as_mut())
}

fn digest(world: &mut World, step: &str) -> Digest {
    reports(world, step).next().and_then(|report| report.digest.clone()).expect("a digest")
}

/// What the newest Job of a step does.
fn newest(world: &World, step: &str) -> StepSpec {
    let run = world.observed.steps[step].runs.last().expect("a run");
    match &world.works[&run.name].task {
        Task::Worker(spec) => *spec.clone(),
        Task::Container { .. } => panic!("a worker's"),
    }
}

fn data_digest(spec: &StepSpec) -> Option<Digest> {
    match spec.action.sources()[0] {
        DataSource::Artifact { digest, .. } => digest.clone(),
        DataSource::Uri { .. } => panic!("an artifact"),
    }
}

fn api(world: &World) -> LongRunningWork {
    match world.plan().step("api").and_then(|planned| planned.work.clone()) {
        Some(Work::LongRunning(Tracks { stable, candidate: None, shadow: None })) => stable,
        other => panic!("pods, not {other:?}"),
    }
}

fn model_digest(work: &LongRunningWork) -> Option<Digest> {
    let Task::Worker(spec) = &work.task else { panic!("a worker's") };
    let Action::Serve(serve) = &spec.action else { panic!("a serve step") };
    assert_eq!(serve.model_digest, work.model_digest, "pods are annotated with what they check");
    serve.model_digest.clone()
}

fn pods(world: &mut World) -> &mut ObservedLongRunning {
    world.observed.steps.get_mut("api").and_then(|found| found.long_running.as_mut()).expect("pods")
}

#[test]
fn readers_know_what_they_read_by_what_its_step_reported() {
    let mut world = done(CRASH_COURSE);
    let (data, model) = (digest(&mut world, "data"), digest(&mut world, "train"));
    assert_eq!(data_digest(&newest(&world, "train")), Some(data));
    assert_eq!(model_digest(&api(&world)), Some(model.clone()));
    world.fire("synthetic");
    world.finish("synthetic", &Ending::usual());
    world.apply();
    let Task::Worker(batch) = &world.cron_jobs["batch"].0.task else { panic!("a worker's") };
    let Action::Score(score) = &batch.action else { panic!("a score step") };
    assert_eq!(score.model_digest, Some(model.clone()));
    assert!(matches!(&score.input, DataSource::Artifact { digest: Some(_), .. }));
    // A new model is compared with the one that is served.
    edit(&mut world, "train", |step| step.rerun = Some("again".into()));
    world.apply();
    let Action::Train(train) = newest(&world, "train").action else { panic!("train") };
    assert_eq!(train.baseline.expect("the served one").digest, Some(model));
}

#[test]
fn a_run_that_found_its_result_there_says_less_than_the_one_that_made_it() {
    let mut world = done(CRASH_COURSE);
    let made = digest(&mut world, "data");
    let swapped = Digest::of(b"what lay there by then");
    let runs = &mut world.observed.steps.get_mut("data").expect("a step").runs;
    let mut later = runs[0].clone();
    later.name += "-2";
    later.attempt = 2;
    later.finished = Some(world.now);
    later.report = later.report.map(|report| StepReport { reused: true, digest: Some(swapped), ..report });
    runs.push(later);
    edit(&mut world, "train", |step| step.rerun = Some("again".into()));
    world.apply();
    assert_eq!(data_digest(&newest(&world, "train")), Some(made));
}

#[test]
fn s11_text_in_the_place_of_a_digest_goes_nowhere() {
    for text in ["", "$(AWS_SECRET_ACCESS_KEY)", &"D".repeat(64), &"d".repeat(4000)] {
        let mut world = done(CRASH_COURSE);
        let hostile: Digest = serde_json::from_value(text.into()).expect("any text is read");
        reports(&mut world, "data").for_each(|report| report.digest = Some(hostile.clone()));
        edit(&mut world, "train", |step| step.rerun = Some("again".into()));
        world.apply();
        assert_eq!(data_digest(&newest(&world, "train")), None, "{text}");
    }
}

#[test]
fn an_image_that_the_pipeline_names_gets_digests_and_a_probe_port_once_its_worker_says_that_it_knows_them() {
    let named = CRASH_COURSE.replace("spec:\n", "spec:\n  image: example.com/worker:pinned\n");
    for (reads, knows) in [(None, false), (Some(3), false), (Some(DIGESTS_VERSION), true)] {
        let resource: MLPipeline = serde_saphyr::from_str(&named).expect("a pipeline");
        let mut world = World::new(resource);
        for step in ["data", "train"] {
            world.apply();
            world.finish(step, &Ending::usual());
            reports(&mut world, step).for_each(|report| report.step_version = reads);
        }
        assert_eq!(data_digest(&newest(&world, "train")).is_some(), knows, "{reads:?}");
        let expected = if knows { ProbePort::Own } else { ProbePort::Shared };
        assert_eq!(
            (model_digest(&api(&world)).is_some(), api(&world).probe_port),
            (knows, expected),
            "{reads:?}"
        );
    }
}

#[test]
fn d5_pods_of_an_earlier_version_keep_probes_and_learn_no_digest_until_their_work_changes() {
    let mut world = done(CRASH_COURSE);
    (pods(&mut world).probe_port, pods(&mut world).model_digest) = (ProbePort::Shared, None);
    assert_eq!((model_digest(&api(&world)), api(&world).probe_port), (None, ProbePort::Shared));
    // Nor are pods replaced because they were not ready at the moment of an upgrade.
    let mut broken = world.clone();
    pods(&mut broken).ready = 0;
    assert_eq!((model_digest(&api(&broken)), api(&broken).probe_port), (None, ProbePort::Shared));
    edit(&mut world, "train", |step| step.rerun = Some("again".into()));
    world.settle(&mut |_, _| Ending::usual());
    assert_eq!(pods(&mut world).probe_port, ProbePort::Own);
    assert!(pods(&mut world).model_digest.is_some());
}

#[test]
fn d5_pods_keep_the_digest_of_a_model_whose_run_is_gone() {
    let mut world = done(CRASH_COURSE);
    let before = api(&world);
    world.observed.steps.get_mut("train").expect("a step").runs.clear();
    // The model is used as long as it is served, whatever comes of the new run.
    world.apply();
    let after = api(&world);
    assert_eq!((after.key, after.model_digest), (before.key, before.model_digest));
}
