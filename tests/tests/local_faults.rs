//! What goes wrong on a laptop: kills at any moment, wrong data, a model that is not good enough, no room, no right to write.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod laptop;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use laptop::{Laptop, processes, tree, wait_until};
use mlpipeline_tests::programs;

/// How often a run is killed.
const KILLS: u64 = 50;

/// A pipeline that gives the same artifacts each time: the crash course scores random rows, this one the flowers themselves.
const STEADY: &str = "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: iris, namespace: ml-course}
spec:
  steps:
    - name: data
      prepare: {inputs: [{name: iris, uri: 'http://iris-data/iris.csv'}], sql: 'SELECT DISTINCT * FROM iris ORDER BY 1, 2, 3, 4, 5'}
    - name: train
      train: {data: {step: data}, target: species, algorithm: {logisticRegression: {}}, crossValidation: {folds: 5}}
    - name: batch
      score: {model: {step: train}, input: {step: data}, output: {format: csv}}
    - name: large
      prepare: {sql: 'SELECT value, value * 3 AS triple FROM generate_series(1, 100000)', output: {format: csv}}
";

/// Numbers that look random and are the same each time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[test]
fn fifty_kills_at_random_moments_end_in_the_same_artifacts_and_no_process_is_left() {
    let laptop = Laptop::new();
    laptop.write("pipeline.yaml", STEADY);
    let start = Instant::now();
    let (code, steps) = laptop.once_in("undisturbed");
    assert_eq!(code, 0, "{steps:#?}");
    let duration = start.elapsed();
    let expected = tree(&laptop.path().join("undisturbed/volume"));
    assert!(
        expected.keys().filter(|path| path.ends_with("manifest.json")).count() == 4,
        "{:?}",
        expected.keys()
    );

    let mut numbers = Numbers(42);
    let volume = laptop.path().join("killed/volume");
    let mut finished = 0;
    for round in 0..KILLS {
        if finished == 4 {
            // All was done: begin anew, so that each kill hits work.
            std::fs::remove_dir_all(laptop.path().join("killed")).expect("removed");
        }
        let mut local = laptop.start(&["--once", "--data-dir", "killed"]);
        let moment = Instant::now() + Duration::from_micros(numbers.below(duration.as_micros() as u64));
        wait_until("the moment", || Instant::now() >= moment || local.has_ended());
        local.kill();
        local.end();
        wait_until("all workers to end", || processes(&volume.display().to_string()).is_empty());
        finished = assert_part_of(&volume, &expected, round);
    }
    let (code, steps) = laptop.once_in("killed");
    assert_eq!(code, 0, "{steps:#?}");
    assert!(tree(&volume) == expected, "not the artifacts of an undisturbed run: {:?}", tree(&volume).keys());
    let (code, again) = laptop.once_in("killed");
    assert!(code == 0 && again.values().all(|step| !step.ran), "{again:#?}");
}

/// Every artifact that is there is one that an undisturbed run makes, and whole. Says how many there are.
fn assert_part_of(
    volume: &Path,
    expected: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>,
    round: u64,
) -> usize {
    let found = tree(volume);
    let manifests =
        found.keys().filter(|path| path.ends_with("manifest.json") && expected.contains_key(*path));
    let mut count = 0;
    for manifest in manifests {
        let folder = manifest.parent().expect("a folder");
        let of = |files: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| {
            files
                .iter()
                .filter(|(path, _)| path.starts_with(folder))
                .map(|(path, text)| (path.clone(), text.clone()))
                .collect::<Vec<_>>()
        };
        assert!(of(&found) == of(expected), "round {round}: {} is not whole", folder.display());
        count += 1;
    }
    count
}

#[test]
fn wrong_data_end_the_run_at_once_with_what_is_wrong_and_keep_what_was_there() {
    let laptop = Laptop::new();
    laptop.once();
    let csv = laptop.read("data/iris.csv");
    let before = tree(&laptop.path().join(".mlpipeline/volume"));
    let rows: [(&str, &str, &str, &str); 4] = [
        ("another content than the sha256 says", "target: species", "target: species", "sha256"),
        ("a column that is not there", "target: species", "target: kind", "species"),
        (
            "a check that fails",
            "oneOf: [setosa, versicolor, virginica]",
            "oneOf: [setosa, versicolor]",
            "virginica",
        ),
        ("a file that is not there", "http://iris-data/iris.csv", "http://iris-data/none.csv", "404"),
    ];
    let pipeline = laptop.read("pipeline.yaml");
    for (what, from, to, expected) in rows {
        laptop.write("pipeline.yaml", &pipeline.replace(from, to));
        if expected == "sha256" {
            laptop.write("data/iris.csv", &csv.replacen("5.1", "5.2", 1));
            // Only a step whose fingerprint changed is done again.
            laptop.edit("http://iris-data/iris.csv", "http://iris-data/./iris.csv");
        }
        let (code, steps) = laptop.once();
        laptop.write("data/iris.csv", &csv);
        assert_eq!(code, 1, "{what}");
        let failed: Vec<&str> =
            steps.values().filter(|step| step.state == "Failed").map(|step| step.message.as_str()).collect();
        assert!(matches!(failed.as_slice(), [only] if only.contains(expected)), "{what}: {steps:#?}");
        let after = tree(&laptop.path().join(".mlpipeline/volume"));
        assert!(
            before.iter().all(|(path, text)| after.get(path) == Some(text)),
            "{what}: an old artifact is gone"
        );
    }
}

#[test]
fn a_model_that_does_not_pass_its_gate_is_never_served_and_the_one_before_is() {
    let laptop = Laptop::new();
    laptop.edit("metric: accuracy, min: 0.9}", "metric: logLoss, max: 0.01}");
    let (code, steps) = laptop.once();
    assert_eq!(
        (code, steps["train"].state.as_str(), steps["batch"].state.as_str()),
        (1, "Rejected", "Blocked")
    );
    assert!(steps["train"].message.contains("above the gate's max 0.01"), "{:?}", steps["train"]);

    laptop.edit("max: 0.01", "max: 0.5");
    let (code, steps) = laptop.once();
    assert_eq!((code, steps["train"].ran), (0, false), "judging anew trains nothing");
    let good = steps["train"].revision.clone().expect("a revision");

    // Weights of almost nothing: each class is as likely as any other.
    laptop.edit("{maxIterations: 200}", "{maxIterations: 200, alpha: 1000000}");
    let mut local = laptop.start(&[]);
    assert!(local.wait_for("api answers at ").starts_with("http://"));
    let printed = local.printed();
    assert!(printed.contains(&format!("serve model {good}")), "{printed}");
    local.signal("TERM");
    local.end();
}

/// Runs a script in which `run` is `local --once` on the volume that is at $volume: as root with mounts of its own, else
/// without any.
fn script(laptop: &Laptop, root: &str, other: &str) -> (String, String) {
    let id = Command::new("id").arg("-u").output().expect("id runs").stdout;
    let is_root = id == b"0\n";
    let mut command = Command::new(if is_root { "unshare" } else { "sh" });
    if is_root {
        command.args(["-m", "sh"]);
    }
    let start = "volume=data-dir/volume; mkdir -p $volume\n\
                 run() { \"$program\" local pipeline.yaml --once --data-dir data-dir --jobs 1 --resolve iris-data=$address; echo \"ended with $?\"; }\n";
    let output = command
        .args(["-c", &format!("{start}{}", if is_root { root } else { other })])
        .env("program", programs::path("kubectl-mlpipeline"))
        .env("address", &laptop.address)
        .current_dir(laptop.path())
        .output()
        .expect("the script runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Steps that need no room, and one that needs more than a mebibyte.
const SMALL: &str = "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: p}
spec:
  steps:
    - name: small
      prepare: {sql: SELECT 1 AS a, output: {format: csv}}
";
const LARGE: &str = "    - name: large
      after: [small]
      prepare: {sql: 'SELECT value, random() AS r FROM generate_series(1, 200000)', output: {format: csv}}
      retries: 0
";

#[test]
fn a_full_disk_fails_the_step_with_what_to_do_and_keeps_what_is_finished() {
    let laptop = Laptop::new();
    laptop.write("pipeline.yaml", &format!("{SMALL}{LARGE}"));
    let end = "run; run; ls $volume/default/p/small";
    let root = format!("mount -t tmpfs -o size=1m none $volume || exit 9; {end}");
    // Where nothing can be mounted, a limit on the size of files stands in for the full disk.
    let other = format!("trap '' XFSZ; ulimit -f 1000; {end}");
    let (output, errors) = script(&laptop, &root, &other);
    assert_eq!(output.matches("ended with 1").count(), 2, "{output}{errors}");
    assert!(output.contains("large failed: ") && output.contains("free some space"), "{output}{errors}");
    assert!(
        output.contains("small     prepare  Done") || output.contains("small  prepare  Done"),
        "{output}"
    );
}

#[test]
fn a_volume_that_cannot_be_written_is_said_so_and_what_is_finished_stays() {
    let laptop = Laptop::new();
    laptop.write("pipeline.yaml", SMALL);
    let add = format!("run; printf '%s' '{}' >> pipeline.yaml", LARGE.replace('\'', "'\\''"));
    let root = format!("mount -t tmpfs none $volume || exit 9; {add}; mount -o remount,ro $volume; run");
    let other = format!("{add}; chmod a-w $volume/default/p; run; chmod u+w $volume/default/p");
    let (output, errors) = script(&laptop, &root, &other);
    assert!(output.contains("ended with 0") && output.contains("ended with 1"), "{output}{errors}");
    assert!(output.contains("large failed: "), "{output}{errors}");
    assert!(output.contains("up to date; 1 row"), "{output}");
}
