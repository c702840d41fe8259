//! Runs whose Jobs something else deleted.

use mlpipeline_core::observed::{Observed, RunPhase};
use mlpipeline_crds::MLPipelineStatus;

use super::{PIPELINE, finish_next, now, pipeline, status_of};

/// The status of the first step's run at work, created so many seconds from now.
fn at_work(
    change: impl Fn(&mut mlpipeline_core::observed::ObservedRun),
    before: Option<&MLPipelineStatus>,
) -> MLPipelineStatus {
    let pipeline = pipeline(PIPELINE);
    let mut observed = Observed::default();
    finish_next(&pipeline, &mut observed, &RunPhase::Active, 0.0);
    let runs = &mut observed.steps.get_mut("data").expect("the first step").runs;
    runs.iter_mut().for_each(change);
    status_of(&pipeline, &observed, before)
}

fn words(status: &MLPipelineStatus) -> Option<&str> {
    status.steps.first()?.message.as_deref()
}

#[test]
fn d3_a_run_whose_job_something_else_deleted_is_named_while_it_runs_again() {
    let at = |second: i64| now().checked_add(jiff::SignedDuration::from_secs(second)).expect("a time");
    let before = at_work(|run| (run.created, run.started) = (Some(at(0)), Some(at(1))), None);
    assert_eq!(words(&before), Some("at work"));
    let again = "at work again: something else deleted its Job";
    let removed = at_work(|run| (run.created, run.started) = (Some(at(30)), None), Some(&before));
    assert_eq!(words(&removed), Some(again));
    let begun = at_work(|run| (run.created, run.started) = (Some(at(30)), Some(at(31))), Some(&removed));
    assert_eq!(words(&begun), Some(again));
    let last = at_work(|run| (run.created, run.started) = (Some(at(30)), Some(at(31))), Some(&begun));
    assert_eq!(words(&last), Some(again), "as long as it is at work");

    let preempted = at_work(|run| (run.created, run.started) = (Some(at(30)), None), Some(&begun));
    assert_eq!(words(&preempted), Some("at work"), "a queue has taken its room back");

    // A queue that takes a Job's room back takes its start away too.
    let queued = at_work(|run| (run.created, run.started) = (Some(at(0)), None), Some(&before));
    assert_eq!(words(&queued), Some("at work"));
    let resumed = at_work(|run| (run.created, run.started) = (Some(at(0)), Some(at(90))), Some(&before));
    assert_eq!(words(&resumed), Some("at work"));
}

#[test]
fn d3_a_further_attempt_is_not_taken_for_a_run_that_was_deleted_and_the_first_one_in_its_place_is() {
    let at = |second: i64| now().checked_add(jiff::SignedDuration::from_secs(second)).expect("a time");
    let second = |run: &mut mlpipeline_core::observed::ObservedRun| {
        run.name.push_str("-2");
        run.attempt = 2;
        (run.created, run.started) = (Some(at(20)), Some(at(21)));
    };
    let first = at_work(|run| (run.created, run.started) = (Some(at(0)), Some(at(1))), None);
    let before = at_work(second, Some(&first));
    assert_eq!(words(&before), Some("at work"));
    let other_piece = |run: &mut mlpipeline_core::observed::ObservedRun| {
        run.name.push('x');
        (run.created, run.started) = (Some(at(40)), None);
    };
    assert_eq!(words(&at_work(other_piece, Some(&before))), Some("at work"), "a piece of the same run");
    let anew = at_work(|run| (run.created, run.started) = (Some(at(40)), None), Some(&before));
    assert_eq!(words(&anew), Some("at work again: something else deleted its Job"));
}
