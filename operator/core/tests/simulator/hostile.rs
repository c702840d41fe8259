//! What somebody else could put in the place of a pipeline's children: reports that contradict themselves.

use jiff::Timestamp;
use mlpipeline_core::execution_settings::ExecutionSettings;
use mlpipeline_core::fingerprint::Fingerprint;
use mlpipeline_core::observed::{
    Observed, ObservedLongRunning, ObservedRun, ObservedStep, ProbePort, RunPhase,
};
use mlpipeline_core::piece::Piece;
use mlpipeline_core::template_version::TemplateVersion;
use mlpipeline_crds::{Outcome, Revision, StepReport};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What nothing of ours would ever leave behind: runs without times, reports without revision, fingerprints of nothing, the same
/// name twice, steps that nobody knows. Keys and fingerprints of `real` are mixed in, so that some of it counts.
pub fn hostile(real: Vec<(Revision, Fingerprint)>) -> impl Strategy<Value = Observed> {
    let noise = vec![
        (Revision::of(&["noise"]), fingerprint(json!({"train": {"data": {"step": 7}}}))),
        (Revision::of(&["more"]), fingerprint(json!([1, {"x": null}]))),
        (
            Revision::of(&["less"]),
            fingerprint(json!({"run": {"inputs": [{"name": 1}, "x", {"step": "step-0"}]}})),
        ),
    ];
    let known: Vec<(Revision, Fingerprint)> = real.into_iter().chain(noise).collect();
    let known = prop::sample::select(known);
    let time = option::of(prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        (0..100i64).prop_map(|second| Timestamp::from_second(second).expect("a time")),
    ]);
    let phase = prop_oneof![
        1 => Just(RunPhase::Active),
        4 => Just(RunPhase::Succeeded),
        1 => Just(RunPhase::Failed { reason: String::new(), message: "é\n".repeat(9) }),
    ];
    let number = prop_oneof![Just(f64::NAN), Just(f64::INFINITY), -2.0..2.0f64];
    let report = option::weighted(
        0.7,
        (option::of(known.clone()), number, any::<bool>()).prop_map(|(revision, accuracy, succeeded)| {
            let mut report = StepReport::succeeded(revision.map(|(revision, _)| revision));
            report.metrics.insert("accuracy".into(), accuracy);
            if !succeeded {
                report.outcome = Outcome::Failed;
            }
            report
        }),
    );
    let attempt = prop_oneof![0..5u32, Just(u32::MAX)];
    let run =
        ("[ab]{0,2}", known.clone(), attempt, any::<(bool, bool)>(), phase, (time.clone(), time), report)
            .prop_map(
                |(
                    name,
                    (key, fingerprint),
                    attempt,
                    (scheduled, says),
                    phase,
                    (started, finished),
                    report,
                )| {
                    ObservedRun {
                        name,
                        key,
                        attempt,
                        piece: Piece::ALL[usize::from(says) * 2],
                        scheduled,
                        fingerprint: says.then_some(fingerprint),
                        settings: says.then(ExecutionSettings::default),
                        default_image: None,
                        phase,
                        is_idle: says,
                        created: None,
                        started,
                        finished,
                        pods: 0,
                        report,
                        pending_report: None,
                    }
                },
            );
    let live = hostile_pods(known.clone());
    let schedule = option::of(known.prop_map(|(_, fingerprint)| fingerprint));
    let step = (vec(run, 0..6), option::of(live), schedule).prop_map(|(runs, live, schedule)| ObservedStep {
        runs,
        long_running: live,
        schedule,
        ..ObservedStep::default()
    });
    btree_map("step-[0-8]", step, 0..8).prop_map(|steps| Observed { steps, ..Observed::default() })
}

/// Long-running pods that say anything of themselves.
fn hostile_pods(
    known: impl Strategy<Value = (Revision, Fingerprint)> + Clone,
) -> impl Strategy<Value = ObservedLongRunning> {
    (option::of(known.clone()), option::of(known.clone()), -2..4i32, any::<bool>()).prop_map(
        |(of, model, count, settled)| ObservedLongRunning {
            image: None,
            template: TemplateVersion::NEWEST,
            key: of.as_ref().map(|(key, _)| key.clone()),
            fingerprint: of.map(|(_, fingerprint)| fingerprint),
            model: model.map(|(key, _)| key),
            model_digest: None,
            probe_port: ProbePort::Shared,
            desired: count,
            updated_ready: -count,
            ready: i32::MIN,
            settled_ready: count,
            settled,
        },
    )
}

fn fingerprint(action: Value) -> Fingerprint {
    Fingerprint { action, image: None, rerun: None, inputs: Default::default() }
}
