//! Each step by itself, and the list of them.

use std::collections::BTreeSet;
use std::time::Duration;

use mlpipeline_crds::{MLPipelineSpec, Schedule, Serve, Step, StepKind};

use super::dns::is_dns_label;
use super::errors::Errors;
use super::long_running::is_long_running;
use super::{actions, continuous, environment, labels, order, output, pod, references};
use crate::duration::parse_duration;
use crate::pipeline::ValidStep;
use crate::quoted::quoted;
use crate::schedule::CronSchedule;
use crate::step_kind::{Descriptor, ValidAction};

/// How many steps a pipeline may have.
const MAX_STEPS: usize = 64;

/// Checks all steps. What comes back makes sense only if no error was added.
pub(super) fn validate_steps(spec: &MLPipelineSpec, namespace: &str, errors: &mut Errors) -> Vec<ValidStep> {
    let count = spec.steps.len();
    if count == 0 || count > MAX_STEPS {
        errors.add("spec.steps", format!("has {count} steps; 1 to {MAX_STEPS} are allowed"));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut steps = Vec::with_capacity(count);
    for (index, step) in spec.steps.iter().enumerate() {
        let path = format!("spec.steps[{index}]");
        check_name(step, &path, errors);
        errors.require(
            names.insert(&step.name),
            format!("{path}.name"),
            format!("{} is the name of an earlier step too", quoted(&step.name)),
        );
        references::check_references(spec, step, &path, errors);
        steps.extend(validate_step(spec, step, &path, errors));
    }
    check_replicas(spec, errors);
    output::check_all(spec, errors);
    continuous::check_all(spec, namespace, errors);
    order::in_order(steps, errors)
}

fn check_name(step: &Step, path: &str, errors: &mut Errors) {
    let name = &step.name;
    let fits =
        is_dns_label(name) && name.len() <= 40 && name.starts_with(|first: char| first.is_ascii_lowercase());
    errors.require(
        fits,
        format!("{path}.name"),
        format!(
            "{} is not a valid step name: 1 to 40 lower-case letters, digits and -, a letter first and no - last",
            quoted(name)
        ),
    );
}

fn check_replicas(spec: &MLPipelineSpec, errors: &mut Errors) {
    let Some(replicas) = spec.replicas else { return };
    errors.require_between(Some(replicas), (0, 1000), "spec.replicas");
    let actions = spec.steps.iter().map(|step| Some((step, ValidAction::of(step)?)));
    // Whether a step that is of several kinds serves is not known, and that it is of several is said already.
    let Some(actions) = actions.collect::<Option<Vec<_>>>() else { return };
    let serving: Vec<(&Step, &Serve)> =
        actions.iter().filter_map(|(step, action)| Some((*step, action.descriptor().serving()?))).collect();
    if let [(only, serve)] = serving.as_slice() {
        let elsewhere = serve.replicas.is_some() || serve.autoscaling.is_some();
        errors.require(
            !elsewhere,
            "spec.replicas",
            format!(
                "the serve step {} has replicas or autoscaling of its own: keep one of the two",
                quoted(&only.name)
            ),
        );
    } else {
        errors.add(
            "spec.replicas",
            format!(
                "sets the replicas of the only serve step, and there are {}: set replicas in the steps",
                serving.len()
            ),
        );
    }
}

fn validate_step(spec: &MLPipelineSpec, step: &Step, path: &str, errors: &mut Errors) -> Option<ValidStep> {
    if step.kind().is_none() {
        let present: Vec<&str> = step.kinds().into_iter().map(StepKind::name).collect();
        let found = if present.is_empty() { "none of them".to_owned() } else { present.join(" and ") };
        errors.add(path, format!("a step is exactly one of {}; this has {found}", StepKind::listed()));
        return None;
    }
    let action = valid_action(spec, step)?;
    let pod = pod::merge(spec.pod.as_ref(), step.pod.as_ref());
    actions::check_action(&action, &pod, path, errors);
    let is_long_running = is_long_running(step);
    if !is_long_running {
        labels::check_of_job(&pod, step.pod.as_ref(), &format!("{path}.pod"), &step.name, errors);
    }
    let annotations = format!("{path}.pod.annotations");
    labels::check_merged_annotations(&pod, spec.pod.as_ref(), step.pod.as_ref(), &annotations, errors);
    check_parallelism(step, action.descriptor(), &format!("{path}.parallelism"), errors);
    let retries = step.retries.unwrap_or(3);
    errors.require_between(Some(retries), (0, 100), format!("{path}.retries"));
    for (field, present) in [("retries", step.retries.is_some()), ("timeout", step.timeout.is_some())] {
        errors.require(
            !(present && is_long_running),
            format!("{path}.{field}"),
            "is only for steps that run to completion",
        );
    }
    pod::check_settings(step.pod.as_ref(), spec.pod.as_ref(), &format!("{path}.pod"), errors);
    if let Some((_, secret)) = action.descriptor().credentials().first() {
        let named = (secret.as_str(), step.name.as_str(), &*format!("{path}.pod"));
        environment::check_beside_credentials(spec.pod.as_ref(), step.pod.as_ref(), named, errors);
    }
    Some(ValidStep {
        name: step.name.clone(),
        action,
        after: step.after.clone(),
        schedule: check_schedule(step.schedule.as_ref(), is_long_running, path, errors),
        retries: u32::try_from(retries).unwrap_or_default(),
        timeout: check_timeout(step.timeout.as_deref(), path, errors),
        parallelism: step.parallelism,
        rerun: step.rerun.clone(),
        pod,
    })
}

/// Several pods at a time are for work that they can share.
fn check_parallelism(step: &Step, descriptor: &dyn Descriptor, path: &str, errors: &mut Errors) {
    if step.parallelism.is_none() {
        return;
    }
    errors.require_between(step.parallelism, (1, 1000), path);
    for why in descriptor.against_parallelism(step.schedule.is_some()) {
        errors.add(path, why);
    }
}

/// What the step does. Where the pipeline names the replicas of its only serve step, they are that step's.
fn valid_action(spec: &MLPipelineSpec, step: &Step) -> Option<ValidAction> {
    let mut action = ValidAction::of(step)?;
    if let Some(serve) = action.descriptor_mut().serving_mut()
        && serve.autoscaling.is_none()
    {
        serve.replicas = serve.replicas.or(spec.replicas);
    }
    Some(action)
}

fn check_schedule(
    schedule: Option<&Schedule>,
    is_long_running: bool,
    path: &str,
    errors: &mut Errors,
) -> Option<CronSchedule> {
    let schedule = schedule?;
    if is_long_running {
        errors.add(format!("{path}.schedule"), "this step is long-running: leave schedule out");
        return None;
    }
    let deadline = format!("{path}.schedule.startingDeadlineSeconds");
    errors.require_not_negative(schedule.starting_deadline_seconds, deadline.as_str());
    if schedule.starting_deadline_seconds == Some(0) && schedule.suspend != Some(true) {
        errors.add_with_hint(
            deadline,
            "is 0, by which every run is too late as soon as it is due, so that none ever starts",
            "write how many seconds late a run may start, such as 60, or leave it out for any",
        );
    }
    let parsed = CronSchedule::parse(schedule)
        .map_err(|(field, problem)| errors.add(format!("{path}.schedule.{field}"), problem))
        .ok()?;
    if parsed.never_fires() && schedule.suspend != Some(true) {
        errors.add_with_hint(
            format!("{path}.schedule.cron"),
            format!("{} never fires: no month that it names has such a day", quoted(&schedule.cron)),
            "name a day that there is; for runs that are started by hand only, set suspend: true",
        );
    }
    Some(parsed)
}

/// The longest time-out: a year, in seconds.
const MAX_TIMEOUT: u64 = 31_536_000;

fn check_timeout(timeout: Option<&str>, path: &str, errors: &mut Errors) -> Option<Duration> {
    let text = timeout?;
    let seconds = parse_duration(text).filter(|seconds| (1..=MAX_TIMEOUT).contains(seconds));
    if seconds.is_none() {
        errors.add_with_hint(
            format!("{path}.timeout"),
            format!("{} is not a valid duration from one second to a year", quoted(text)),
            "write hours, minutes and seconds: \"90s\", \"30m\", \"1h30m\"",
        );
    }
    seconds.map(Duration::from_secs)
}
