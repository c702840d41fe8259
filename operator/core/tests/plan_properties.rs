//! What holds of every plan, whatever the pipeline and whatever happened to it: random pipelines, random lives, hostile findings.

#![allow(clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "how many cases are tried may be set from outside")]

mod simulator;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mlpipeline_core::decision::Decision;
use mlpipeline_core::fingerprint::Fingerprint;
use mlpipeline_core::observed::{ObservedRun, RunPhase};
use mlpipeline_core::pipeline::{ValidStep, ValidatedPipeline};
use mlpipeline_core::plan::{Plan, Schedules, Work, models, plan};
use mlpipeline_core::step_kind::ValidAction;
use mlpipeline_core::tracks::Tracks;
use mlpipeline_crds::{MLPipeline, Revision};
use proptest::prelude::*;
use simulator::arbitrary::{Edit, Event, events, pipeline, seeds};
use simulator::hostile::hostile;
use simulator::{Ending, World};

/// The revision of each step.
fn keys(world: &World) -> BTreeMap<String, Option<Revision>> {
    world.plan().steps.into_iter().map(|step| (step.name, step.revision)).collect()
}

fn converged(resource: &MLPipeline) -> World {
    let mut world = World::new(resource.clone());
    world.converge();
    world
}

/// The step and all that read it, or read what reads it.
fn readers_of(pipeline: &ValidatedPipeline, step: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([step.to_owned()]);
    // The steps are in an order in which readers come later.
    for reader in &pipeline.steps {
        if reader.reads().iter().any(|read| found.contains(&read.step)) {
            found.insert(reader.name.clone());
        }
    }
    found
}

/// Whether a run brought a model that may be served: counted from the spec and the report, not asked of the plan.
fn may_be_served(train: &ValidStep, run: &ObservedRun, model: &Revision) -> bool {
    let ValidAction::Train(settings) = &train.action else { return false };
    let Some(report) = run.report.as_ref().filter(|_| run.phase == RunPhase::Succeeded) else { return false };
    let least = settings.gate.as_ref().and_then(|gate| gate.min).unwrap_or(f64::MIN);
    let is_it = report.revision.as_ref().unwrap_or(&run.key) == model;
    let accuracy = report.metrics.get("accuracy").copied().unwrap_or(f64::NAN);
    is_it && (settings.gate.is_none() || (accuracy.is_finite() && accuracy >= least))
}

/// S4: a plan that changes the model that pods serve changes it to one that is there and has passed its gate.
fn check_that_only_good_models_are_rolled_out(world: &World, pipeline: &ValidatedPipeline, plan: &Plan) {
    for planned in &plan.steps {
        let (Some(Work::LongRunning(Tracks { stable: work, candidate: None, shadow: None })), Some(step)) =
            (&planned.work, pipeline.step(&planned.name))
        else {
            continue;
        };
        let (Some(model), ValidAction::Serve(serve)) = (&work.model, &step.action) else { continue };
        let live = world.observed.steps.get(&planned.name).and_then(|found| found.long_running.as_ref());
        if live.and_then(|live| live.model.as_ref()) == Some(model) {
            continue;
        }
        let train = pipeline.step(&serve.model.step).expect("a train step");
        let runs =
            world.observed.steps.get(&train.name).map(|found| found.runs.as_slice()).unwrap_or_default();
        assert!(
            runs.iter().any(|run| may_be_served(train, run, model)),
            "{} is planned to serve {model}, which is not known to be good: {}",
            planned.name,
            planned.reason
        );
    }
}

/// S5: what is deleted is neither what counts, nor served, nor the newest success.
fn check_that_nothing_needed_is_pruned(world: &World, pipeline: &ValidatedPipeline, plan: &Plan) {
    let served: Vec<&Revision> = world
        .observed
        .steps
        .values()
        .filter_map(|found| found.long_running.as_ref()?.model.as_ref())
        .collect();
    for (name, found) in &world.observed.steps {
        let (Some(_), Some(planned)) = (pipeline.step(name), plan.step(name)) else { continue };
        let newest = found
            .runs
            .iter()
            .filter(|run| run.phase == RunPhase::Succeeded && !run.scheduled)
            .max_by_key(|run| (run.finished.or(run.started), run.name.clone()));
        for run in found.runs.iter().filter(|run| plan.prune.contains(&run.name)) {
            assert!(planned.run.as_ref() != Some(&run.name), "{} is what {name} rests on", run.name);
            assert!(
                newest.map(|newest| &newest.name) != Some(&run.name),
                "{} is the newest success",
                run.name
            );
            let result = run.report.as_ref().and_then(|report| report.revision.as_ref());
            let is_served =
                run.phase == RunPhase::Succeeded && result.is_some_and(|result| served.contains(&result));
            assert!(!is_served, "{} made the model that is served", run.name);
            assert!(!run.scheduled, "{} is its CronJob's to delete", run.name);
        }
    }
}

/// L8: while a pipeline is suspended, nothing is started and no CronJob is left to start anything.
fn check_that_suspension_is_respected(world: &World) {
    if world.resource.spec.suspend != Some(true) {
        return;
    }
    let mut after = world.clone();
    assert_eq!(after.apply(), Vec::<String>::new(), "runs are started in spite of the suspension");
    for (step, (_, suspended)) in &after.cron_jobs {
        assert!(suspended, "the CronJob of {step} would still fire: {:#?}", after.plan().step(step));
    }
}

/// S1: a run that is there is never asked for again.
fn check_that_no_run_is_asked_for_twice(world: &World, plan: &Plan) {
    for planned in &plan.steps {
        let Some(Work::Once(work)) = &planned.work else { continue };
        let runs =
            world.observed.steps.get(&planned.name).map(|found| found.runs.as_slice()).unwrap_or_default();
        let is_there =
            |run: &ObservedRun| !run.scheduled && run.key == work.key && run.attempt == work.attempt;
        assert!(!runs.iter().any(is_there), "{} is asked for again: {}", planned.name, planned.reason);
    }
}

fn live_through(world: &mut World, events: &[Event], original: &MLPipeline) {
    for event in events {
        world.happen(event, original);
        let pipeline = world.pipeline().expect("the pipeline makes sense");
        let plan = plan(&pipeline, &world.observed, world.now, world.schedules);
        check_that_only_good_models_are_rolled_out(world, &pipeline, &plan);
        check_that_nothing_needed_is_pruned(world, &pipeline, &plan);
        check_that_no_run_is_asked_for_twice(world, &plan);
        check_that_suspension_is_respected(world);
    }
}

/// Few cases, so that the suite stays quick; PROPTEST_CASES asks for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let is_default = std::env::var_os("PROPTEST_CASES").is_none();
    if is_default { ProptestConfig { cases: 64, ..asked } } else { asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_only_good_models_are_served_and_nothing_needed_is_deleted(
        seeds in seeds(), events in events(),
    ) {
        let original = pipeline(&seeds);
        live_through(&mut World::new(original.clone()), &events, &original);
    }

    #[test]
    fn l1_once_nothing_happens_any_more_every_life_comes_to_rest_and_asks_for_nothing(
        seeds in seeds(), events in events(),
    ) {
        let original = pipeline(&seeds);
        let mut world = World::new(original.clone());
        live_through(&mut world, &events, &original);
        world.settle(&mut |_, _| Ending::usual());
        for step in world.plan().steps {
            prop_assert!(!matches!(step.work, Some(Work::Once(_))), "{} asks for a run: {}", step.name, step.reason);
        }
        prop_assert_eq!(world.apply(), Vec::<String>::new());
    }

    #[test]
    fn l5_a_then_b_ends_as_b_alone(seeds in seeds(), edits in prop::collection::vec((0..4u8, any::<usize>()), 1..4)) {
        let before = pipeline(&seeds);
        let after = edits.iter().fold(before.clone(), |resource, (token, step)| Edit::Fingerprint(*token).apply(&resource, *step));
        let mut there = converged(&before);
        there.resource = after.clone();
        there.converge();
        prop_assert_eq!(keys(&there), keys(&converged(&after)));
        // And back again: as if nothing had been, and nothing is trained for it that is still there.
        there.resource = before.clone();
        there.converge();
        prop_assert_eq!(keys(&there), keys(&converged(&before)));
    }

    #[test]
    fn an_edit_of_the_meaning_changes_the_step_and_what_reads_it_and_nothing_else(seeds in seeds(), step in any::<usize>()) {
        let before = pipeline(&seeds);
        let name = before.spec.steps[step % before.spec.steps.len()].name.clone();
        let world = converged(&before);
        let edited = converged(&Edit::Fingerprint(9).apply(&before, step));
        let (old, new) = (keys(&world), keys(&edited));
        let changed: BTreeSet<String> = old.iter().filter(|(name, key)| new.get(*name) != Some(key)).map(|(name, _)| name.clone()).collect();
        let valid = world.pipeline().expect("the pipeline makes sense");
        // What waits for a step that never runs by itself is not there in either.
        let known = |name: &String| old.get(name).is_some_and(Option::is_some) && new.get(name).is_some_and(Option::is_some);
        let expected: BTreeSet<String> = readers_of(&valid, &name).into_iter().filter(|name| known(name)).collect();
        prop_assert_eq!(changed, expected);
    }

    #[test]
    fn labels_resources_and_gates_change_no_key_and_start_nothing(
        seeds in seeds(),
        step in any::<usize>(),
        edit in prop_oneof![(0..9u8).prop_map(Edit::Label), (1..9u8).prop_map(Edit::Resources), (10..94u8).prop_map(Edit::Gate)],
    ) {
        let mut world = converged(&pipeline(&seeds));
        // Other labels and limits are nothing to the result, not even of a container of the user's.
        let before = keys(&world);
        world.resource = edit.apply(&world.resource, step);
        prop_assert_eq!(&keys(&world), &before);
        prop_assert_eq!(world.apply(), Vec::<String>::new());
    }

    #[test]
    fn s11_no_finding_makes_the_plan_panic_and_the_order_of_what_is_found_is_nothing_to_it(
        (seeds, observed, at) in seeds().prop_flat_map(|seeds| {
            let real = real_meanings(&pipeline(&seeds));
            (Just(seeds), hostile(real), prop_oneof![Just(Timestamp::MIN), Just(Timestamp::MAX), Just(Timestamp::UNIX_EPOCH)])
        }),
    ) {
        let mut world = World::new(pipeline(&seeds));
        world.observed = observed;
        world.now = at;
        let valid = world.pipeline().expect("the pipeline makes sense");
        for schedules in [Schedules::Keep, Schedules::RunOnce] {
            world.schedules = schedules;
            let decided = plan(&valid, &world.observed, at, schedules);
            prop_assert_eq!(decided.steps.len(), valid.steps.len());
            let _ = models(&valid, &world.observed);
            check_that_nothing_rested_on_is_pruned(&decided, &world);

            let mut turned = world.clone();
            // Runs of one name are one run to Kubernetes.
            for world in [&mut world, &mut turned] {
                for found in world.observed.steps.values_mut() {
                    let mut names = BTreeSet::new();
                    found.runs.retain(|run| names.insert(run.name.clone()));
                }
            }
            turned.observed.steps.values_mut().for_each(|found| found.runs.reverse());
            prop_assert_eq!(world.plan(), turned.plan());
        }
    }
}

/// What a decision rests on is not deleted, even if two runs have one name.
fn check_that_nothing_rested_on_is_pruned(plan: &Plan, world: &World) {
    let resting: BTreeSet<&String> = plan.steps.iter().filter_map(|step| step.run.as_ref()).collect();
    for name in &plan.prune {
        assert!(!resting.contains(name), "{name} is deleted and rested on: {:#?}", world.observed);
    }
}

#[test]
fn of_several_runs_of_one_key_the_newest_counts_in_whatever_order_they_are_found() {
    let seeds_of_one = r#"{"apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p"}, "spec": {"steps": [
        {"name": "data", "prepare": {"sql": "SELECT 1"}, "schedule": {"cron": "0 2 * * *"}}]}}"#;
    let mut world = World::new(serde_json::from_str(seeds_of_one).expect("a pipeline"));
    world.apply();
    for ending in [Ending::usual(), Ending::Failed { reason: "NotFound".into(), message: "404".into() }] {
        world.fire("data");
        world.finish("data", &ending);
    }
    world.schedules = Schedules::RunOnce;
    let reason = |world: &World| world.plan().steps[0].reason.clone();
    assert_eq!(reason(&world).to_string(), "404");
    world.observed.steps.get_mut("data").expect("the step").runs.reverse();
    assert_eq!(reason(&world).to_string(), "404");
}

#[test]
fn a_run_of_a_schedule_that_cannot_begin_stays_where_the_step_rests_on_it_for_want_of_another() {
    let seeds = r#"{"apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p"}, "spec": {"steps": [
        {"name": "first", "prepare": {"sql": "SELECT 1"}},
        {"name": "data", "prepare": {"sql": "SELECT 1"}, "after": ["first"], "schedule": {"cron": "0 2 * * *"}}]}}"#;
    let mut world = World::new(serde_json::from_str(seeds).expect("a pipeline"));
    world.apply();
    world.finish("first", &Ending::usual());
    world.apply();
    world.fire("data");
    world.observed.steps.get_mut("data").expect("the step").runs[0].is_idle = true;
    // What the pending run was started with has changed, and what it follows is to be done again.
    for step in &mut world.resource.spec.steps {
        step.timeout = Some("1h".into());
    }
    world.resource.spec.steps[0].rerun = Some("again".into());
    world.schedules = Schedules::RunOnce;
    let plan = world.plan();
    assert_eq!(plan.steps[1].decision, Decision::Running);
    assert_eq!(plan.steps[1].run, Some(world.observed.steps["data"].runs[0].name.clone()));
    check_that_nothing_rested_on_is_pruned(&plan, &world);
}

/// Keys and fingerprints that count for a pipeline, as a converged life of it shows them.
fn real_meanings(resource: &MLPipeline) -> Vec<(Revision, Fingerprint)> {
    let world = converged(resource);
    let runs = world.observed.steps.values().flat_map(|found| &found.runs);
    let of_runs = runs.filter_map(|run| Some((run.key.clone(), run.fingerprint.clone()?)));
    let live = world.observed.steps.values().filter_map(|found| found.long_running.as_ref());
    of_runs.chain(live.filter_map(|live| Some((live.key.clone()?, live.fingerprint.clone()?)))).collect()
}
