//! What libFuzzer calls with bytes, for one target: `FUZZ_TARGET` names it. Without one it lists all, and with `FUZZ_SEEDS` it writes the
//! target's good bytes into that folder instead. `tests/tools/fuzz.sh` builds and runs it.
//!
//! Must not say what is good or bad about an answer: the targets do, by a panic.

#![no_main]
#![allow(clippy::expect_used, reason = "a finding is a panic, here as in any test")]

mod manifests;
mod operator;

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mlpipeline_worker::hostile_bytes::{TARGETS, Target};

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn targets() -> impl Iterator<Item = Target> {
    TARGETS.into_iter().chain([manifests::TARGET, operator::REPORT, operator::ANNOTATION])
}

/// The target of this process, which ends here where it has none.
fn choose() {
    let Ok(name) = std::env::var("FUZZ_TARGET") else {
        targets().for_each(|target| println!("{}", target.name));
        std::process::exit(0);
    };
    let Some(target) = targets().find(|target| target.name == name) else {
        eprintln!("error: there is no target {name}");
        std::process::exit(2);
    };
    if let Ok(folder) = std::env::var("FUZZ_SEEDS") {
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            std::fs::write(Path::new(&folder).join(format!("good-{number}")), seed).expect("a file");
        }
        std::process::exit(0);
    }
    let _ = CHOSEN.set(target);
}

fuzz_target!(init: choose(), |bytes: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        (target.read)(bytes);
    }
});
