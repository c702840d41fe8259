//! What each crate may not depend on, at any depth. ARCHITECTURE.md promises it; Cargo knows.

#![expect(clippy::expect_used, reason = "a test fails by a panic, in functions beside it too")]

use std::collections::BTreeSet;
use std::process::Command;

use mlpipeline_tests::programs;

/// A crate, what it must not depend on, and why.
const FORBIDDEN: [(&str, &[&str], &str); 5] = [
    (
        "mlpipeline-crds",
        &["kube-client", "kube-runtime", "tokio", "hyper", "rand"],
        "the contract talks to nobody",
    ),
    (
        "mlpipeline-core",
        &["kube-client", "kube-runtime", "tokio", "futures", "hyper", "reqwest", "rand", "tracing"],
        "the core is a function of its arguments",
    ),
    (
        "mlpipeline-cluster",
        &["kube-runtime", "axum", "prometheus", "opentelemetry", "clap", "rand_chacha"],
        "a session needs no caches, servers or metrics",
    ),
    (
        "kubectl-mlpipeline",
        &[
            "mlpipeline-operator",
            "kube-runtime",
            "axum",
            "prometheus",
            "opentelemetry",
            "opentelemetry-otlp",
            "mlpipeline-worker",
        ],
        "the command line runs the worker as a program, and is not a server",
    ),
    (
        "mlpipeline-worker",
        &["kube-client", "kube-runtime", "mlpipeline-core", "mlpipeline-cluster", "mlpipeline-operator"],
        "the worker knows nothing of clusters",
    ),
];

/// The names of all packages that a crate is built with, itself among them.
fn dependencies(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            package,
            "--prefix",
            "none",
            "--edges",
            "normal",
        ])
        .args(["--format", "{p}"])
        .current_dir(programs::repository())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_crate_depends_on_what_it_must_not() {
    for (package, forbidden, why) in FORBIDDEN {
        let found = dependencies(package);
        assert!(found.contains("serde"), "{package} was not listed: {found:?}");
        let wrong: Vec<&&str> = forbidden.iter().filter(|name| found.contains(**name)).collect();
        assert!(
            wrong.is_empty(),
            "{package} depends on {wrong:?}, and {why}; see: cargo tree --package {package} --invert NAME"
        );
    }
}

#[test]
fn a_dependency_at_any_depth_is_found() {
    let operator = dependencies("mlpipeline-operator");
    for name in ["mlpipeline-core", "kube-client", "kube-runtime", "tokio", "axum"] {
        assert!(operator.contains(name), "{name} is missing in {operator:?}");
    }
}
