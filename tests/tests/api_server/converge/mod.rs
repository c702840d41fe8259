//! Whatever `validate` takes comes about (D2): drawn pipelines on three nodes, with Kubernetes' own API server, controllers and scheduler, and the
//! shipped operator. Then each becomes another drawn pipeline, and comes about again: there the fields that children cannot change are met.

mod bed;
mod draw;
mod outcome;
mod pod;
mod provisioner;
mod run;
mod spec;

use std::time::Duration;

use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use bed::Convergence;
use draw::Draw;
use outcome::Outcome;

/// How many pipelines are drawn when `CASES` does not say.
const CASES: usize = 24;
/// Which ones, when `SEED` does not say.
const SEED: u64 = 12;

/// A number of the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// A pipeline of this number that both `validate` and the API server take, from what it is now; and how often something was refused.
///
/// A claim that has a volume keeps its class, modes and owner: its pipeline keeps what it said of them, or the status would ask for it.
async fn becomes_valid(
    bed: &Convergence,
    draw: &mut Draw,
    case: usize,
    before: Option<&Value>,
) -> (Value, usize) {
    for refused in 0..200 {
        let mut spec = spec::spec(draw, case);
        if let Some(before) = before {
            spec["storage"] = before.get("storage").cloned().unwrap_or_else(|| json!({}));
        }
        if bed.is_valid(&spec) && bed.pipelines.apply(&bed::name(case), &spec).await.is_ok() {
            return (spec, refused);
        }
    }
    panic!("none of 200 drawn pipelines is valid")
}

#[tokio::test]
async fn d2_whatever_is_valid_comes_about_and_so_does_whatever_it_is_changed_to() {
    let cases = number("CASES").map_or(CASES, |cases| usize::try_from(cases).unwrap());
    let seed = number("SEED").unwrap_or(SEED);
    let bed = Convergence::start(cases).await;
    let _operator = bed.bed.start(&[]);
    let mut draw = Draw::new(seed);
    let mut specs: Vec<Vec<Value>> = vec![Vec::new(); cases];
    // Each pipeline costs the machine some seconds of the controllers' work.
    let limit = Duration::from_secs(60 + 2 * u64::try_from(cases).unwrap());
    for round in 1..=2 {
        let mut refused = 0;
        for (case, history) in specs.iter_mut().enumerate() {
            let (spec, now) = becomes_valid(&bed, &mut draw, case, history.last()).await;
            refused += now;
            history.push(spec);
        }
        assert!(refused < 9 * cases, "most of what is drawn is not valid: {refused} refused beside {cases}");
        wait_until(&format!("round {round} of seed {seed}"), limit, async || {
            let outcomes = bed.outcomes(&specs).await;
            let stuck: Vec<String> = outcomes
                .iter()
                .zip(&specs)
                .filter_map(|(outcome, history)| match outcome {
                    Outcome::Settled => None,
                    Outcome::Stuck(why) => Some(outcome::report(why, history)),
                })
                .collect();
            if stuck.is_empty() {
                return Ok(());
            }
            Err(format!("{} of {cases} did not come about:\n{}", stuck.len(), stuck.join("\n")))
        })
        .await;
    }
}
