//! `make test` builds no dependency that `make demo` has built: both see each one with the same features.

#![expect(clippy::expect_used, reason = "a test fails by a panic, in functions beside it too")]

use std::collections::BTreeSet;
use std::process::Command;

use mlpipeline_tests::programs;

/// Every package with its features, as builds of these kinds of dependencies see it.
fn packages(edges: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--workspace", "--prefix", "none", "--format", "{p} [{f}]"])
        .args(["--edges", edges])
        .current_dir(programs::repository())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn dependencies_of_tests_turn_no_feature_on_that_the_programs_are_built_without() {
    let (programs, tests) = (packages("normal,build"), packages("normal,build,dev"));
    assert!(programs.len() > 100, "{programs:?}");
    let built_again: Vec<&String> = programs.difference(&tests).collect();
    assert!(
        built_again.is_empty(),
        "these are built again for tests, with everything that depends on them: {built_again:#?}\n\
         turn on the features that tests need under [dependencies] in tests/Cargo.toml, see `cargo tree -e features -i NAME`"
    );
}
