//! Which models the status lists.

use mlpipeline_core::observed::{Observed, RunPhase};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{RunWork, Work};
use mlpipeline_crds::{GateState, ModelStatus, Revision};

use crate::{PIPELINE, finish_next, now, pipeline, planned, roll_out, run, status_of};

/// A model of each night, which pods serve.
fn nightly() -> ValidatedPipeline {
    let scheduled = "accuracy, min: 0.9}\n      schedule: {cron: '0 2 * * *'}";
    pipeline(&PIPELINE.replace("accuracy, min: 0.9}", scheduled))
}

/// A run of the schedule that ended with this model, so many hours from now.
fn trained(
    work: &RunWork,
    revision: &str,
    hours: i64,
    accuracy: f64,
) -> mlpipeline_core::observed::ObservedRun {
    let mut trained = run(work, RunPhase::Succeeded, accuracy);
    trained.name = format!("iris-train-{revision}");
    trained.scheduled = true;
    let ended = now().saturating_add(jiff::SignedDuration::from_hours(hours)).expect("a time");
    (trained.started, trained.finished) = (Some(ended), Some(ended));
    trained.report.as_mut().expect("a report").revision = Revision::parse(revision).ok();
    trained
}

/// Pods that serve the model of the first night, and what the schedule runs.
fn serving() -> (ValidatedPipeline, Observed, RunWork) {
    let pipeline = nightly();
    let mut observed = Observed::default();
    finish_next(&pipeline, &mut observed, &RunPhase::Succeeded, 0.0);
    let plan = planned(&pipeline, &observed);
    let Some(Work::Scheduled { run: work, .. }) = plan.steps[1].work.clone() else { panic!("{plan:?}") };
    let train = observed.steps.entry("train".into()).or_default();
    train.schedule = Some(work.fingerprint.clone());
    train.runs.push(trained(&work, "0123456789ab", 0, 0.97));
    roll_out(&pipeline, &mut observed, 2);
    (pipeline, observed, work)
}

fn revisions(models: &[ModelStatus]) -> Vec<&str> {
    models.iter().map(|model| model.revision.as_str()).collect()
}

/// Seen to fail with models of the runs that are known alone: the history of a schedule keeps three.
#[test]
fn l2_a_served_model_stays_in_the_status_however_many_were_rejected_since() {
    let (pipeline, mut observed, work) = serving();
    let first = status_of(&pipeline, &observed, None);
    let served = "0123456789ab";
    assert_eq!((first.model.as_deref(), first.score.as_deref()), (Some(served), Some("accuracy=0.970")));

    let runs = &mut observed.steps.get_mut("train").expect("a step").runs;
    let rejected = ["111111111111", "222222222222", "333333333333"];
    *runs = rejected.iter().zip(24..).map(|(name, hours)| trained(&work, name, hours, 0.5)).collect();
    let status = status_of(&pipeline, &observed, Some(&first));
    assert_eq!((status.model.as_deref(), status.score.as_deref()), (Some(served), Some("accuracy=0.970")));
    assert_eq!(revisions(&status.models), ["333333333333", "222222222222", "111111111111", served]);
    assert_eq!(status.models[3], first.models[0]);
    assert_eq!(status_of(&pipeline, &observed, Some(&status)), status, "q2: the same text again");

    // A status that was deleted is rebuilt from the pods.
    let rebuilt = status_of(&pipeline, &observed, None);
    assert_eq!((rebuilt.model.as_deref(), rebuilt.score), (Some(served), None));
    let last = rebuilt.models.last().expect("models");
    assert_eq!((last.revision.as_str(), last.serving, last.gate), (served, true, GateState::Passed));
}

#[test]
fn l2_a_served_model_is_listed_beside_many_newer_ones() {
    let (pipeline, mut observed, work) = serving();
    let runs = &mut observed.steps.get_mut("train").expect("a step").runs;
    runs.extend((0..12).map(|at| trained(&work, &format!("aaaaaaaaaa{at:02}"), at + 1, 0.5)));
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(status.models.len(), 8);
    assert_eq!(revisions(&status.models)[..2], ["aaaaaaaaaa11", "aaaaaaaaaa10"]);
    assert_eq!(status.models.last().map(|model| model.serving), Some(true));
    assert_eq!(status.model.as_deref(), Some("0123456789ab"));
}

/// Pods still have the model of the step that they read before an edit.
#[test]
fn a_served_model_is_not_that_of_a_step_which_only_will_be_read() {
    let other = "
    - name: other
      train: {data: {step: data}, target: x, algorithm: {logisticRegression: {}}}
";
    let both = format!("{}{other}", PIPELINE.trim_end());
    let before = pipeline(&both);
    let mut observed = Observed::default();
    for _ in 0..2 {
        finish_next(&before, &mut observed, &RunPhase::Succeeded, 0.97);
    }
    roll_out(&before, &mut observed, 2);
    let edited = pipeline(&both.replace("model: {step: train}", "model: {step: other}"));
    let status = status_of(&edited, &observed, None);
    let serving: Vec<&str> =
        status.models.iter().filter(|model| model.serving).map(|model| model.step.as_str()).collect();
    assert!(serving.is_empty(), "{:?}", status.models);
}
