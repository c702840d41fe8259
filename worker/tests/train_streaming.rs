//! Training from rows in a file: whoever has less memory gets the same model, byte for byte.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;

use support::{Volume, text, worker};

/// Rows with what preprocessing is for: missing numbers, categories, missing categories. Targets: a class, an amount that follows from
/// the rest, and a count.
fn table() -> String {
    let mut rows = String::from("kind,count,amount,tint");
    (0..8).for_each(|column| write!(rows, ",x{column}").expect("a string grows"));
    rows.push('\n');
    let mut state = 7_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) % 1000
    };
    // Two shards.
    for _ in 0..4200 {
        let values: Vec<u64> = (0..8).map(|_| next()).collect();
        let tint = ["red", "green", "blue", ""][(next() % 4) as usize];
        let amount = values[0] * 3 + values[1] + next() % 50;
        let kind = ["low", "middle", "high"][(amount / 1400).min(2) as usize];
        write!(rows, "{kind},{},{amount},{tint}", amount / 400).expect("a string grows");
        for value in values {
            match next() % 97 {
                0 => rows.push(','),
                _ => write!(rows, ",{value}").expect("a string grows"),
            }
        }
        rows.push('\n');
    }
    rows
}

/// The files of the model that these flags train, and what the worker wrote to standard error.
fn train(volume: &Volume, out: &str, flags: &[&str]) -> (BTreeMap<String, Vec<u8>>, String) {
    let all = [&["train", "--data", "data.csv", "--out", out], flags].concat();
    let output =
        worker(&all).env("LOG_LEVEL", "info").current_dir(volume.path()).output().expect("the worker runs");
    let stderr = text(&output).1;
    assert!(output.status.success(), "{flags:?}: {stderr}");
    let folder = volume.path().join(out);
    let files = std::fs::read_dir(&folder).expect("the model").map(|entry| {
        let entry = entry.expect("a file");
        (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("bytes"))
    });
    (files.collect(), stderr)
}

const SPILLED: &str = "read from a file on scratch";

#[track_caller]
fn learns_the_same_from_a_file(volume: &Volume, flags: &[&str]) {
    let (held, log) = train(volume, "held", flags);
    assert!(!log.contains(SPILLED), "{flags:?}: {log}");
    let (read, log) = train(volume, "read", &[flags, &["--memory-limit", "1MiB"]].concat());
    assert!(log.contains(SPILLED), "{flags:?}: {log}");
    assert_eq!(held.keys().collect::<Vec<_>>(), read.keys().collect::<Vec<_>>());
    for (name, bytes) in &held {
        assert!(read[name] == *bytes, "{flags:?}: {name} differs");
    }
    for out in ["held", "read"] {
        std::fs::remove_dir_all(volume.path().join(out)).expect("the model");
    }
}

fn volume() -> Volume {
    let volume = Volume::new();
    volume.put("data.csv", table());
    volume
}

#[test]
fn numbers_are_learnt_the_same_from_a_file() {
    let volume = volume();
    for algorithm in ["linear-regression", "ridge", "lasso", "elastic-net", "poisson-regression"] {
        learns_the_same_from_a_file(&volume, &["--target", "count", "--algorithm", algorithm]);
    }
}

#[test]
fn classes_are_learnt_the_same_from_a_file() {
    let volume = volume();
    for algorithm in [
        "logistic-regression",
        "linear-svm",
        "gaussian-naive-bayes",
        "multinomial-naive-bayes",
        "bernoulli-naive-bayes",
    ] {
        learns_the_same_from_a_file(&volume, &["--target", "kind", "--algorithm", algorithm]);
    }
}

#[test]
fn clusters_and_components_are_found_the_same_from_a_file() {
    let volume = volume();
    for (algorithm, parameter) in [
        ("k-means", "nClusters=3"),
        ("gaussian-mixture", "nComponents=2"),
        ("pca", "nComponents=3"),
        ("truncated-svd", "nComponents=3"),
    ] {
        learns_the_same_from_a_file(&volume, &["--algorithm", algorithm, "--parameter", parameter]);
    }
}

#[test]
fn boosting_learns_the_same_from_a_file() {
    let volume = volume();
    let boosting = |target, parameter| {
        let parameters = ["--max-iterations", "3", "--parameter", parameter];
        [&["--target", target, "--algorithm", "gradient-boosting"], &parameters[..]].concat()
    };
    learns_the_same_from_a_file(&volume, &boosting("kind", "earlyStopping=always"));
    learns_the_same_from_a_file(&volume, &boosting("amount", "task=regression"));
}

#[test]
fn rows_are_kept_back_and_parted_into_folds_the_same_from_a_file() {
    let volume = volume();
    let flags =
        ["--target", "kind", "--algorithm", "gaussian-naive-bayes", "--split-by", "hash", "--test", "0.2"];
    learns_the_same_from_a_file(&volume, &[&flags[..], &["--folds", "3", "--as", "tint=target"]].concat());
}

#[test]
fn columns_are_scaled_the_same_from_a_file() {
    let volume = volume();
    let flags = ["--target", "count", "--algorithm", "ridge", "--scale", "standard", "--scale", "x0=min-max"];
    learns_the_same_from_a_file(&volume, &[&flags[..], &["--as", "tint=target", "--folds", "3"]].concat());
}
