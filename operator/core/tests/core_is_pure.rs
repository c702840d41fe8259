//! Holds the pure core to its word: no client, no clock, no environment, no files, no randomness, no order of chance.
//!
//! It reads the sources, since no compiler can be asked. What it looks for are words, so a comment must not hold them either:
//! there is always another way to say it.

#![allow(clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

/// What may not be in the core, and why.
const FORBIDDEN: [(&str, &str); 35] = [
    ("kube::Client", "a client"),
    ("kube::Api", "a client"),
    ("kube::api", "a client"),
    ("kube::client", "a client"),
    ("kube::runtime", "a client"),
    ("kube_runtime", "a client"),
    ("Client", "a client"),
    ("reqwest", "a client"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("SystemTime", "a clock"),
    ("Instant", "a clock"),
    ("TimeZone::get", "the machine's time zones"),
    ("TimeZone::system", "the machine's time zones"),
    ("TimeZone::try_system", "the machine's time zones"),
    ("tz::db", "the machine's time zones"),
    ("TimeZoneDatabase::from_env", "the machine's time zones"),
    ("in_tz", "the machine's time zones"),
    ("std::env", "the environment"),
    ("env!", "the environment"),
    ("std::fs", "files"),
    ("File::", "files"),
    ("std::net", "the network"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("tokio", "async"),
    ("async ", "async"),
    (".await", "async"),
    ("rand::", "randomness"),
    ("Uuid", "randomness"),
    ("HashMap", "an order of chance: use BTreeMap"),
    ("HashSet", "an order of chance: use BTreeSet"),
    ("println!", "output"),
    ("eprintln!", "output"),
    ("static mut", "state"),
];

/// What a source holds that it may not, as "line: word (why)".
fn impurities(source: &str) -> Vec<String> {
    let lines = source.lines().enumerate();
    lines
        .flat_map(|(index, line)| {
            let found = FORBIDDEN.iter().filter(|(word, _)| holds(line, word));
            found.map(move |(word, why)| format!("{}: {word} ({why})", index + 1)).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a line holds a word, and not as a part of a longer one.
fn holds(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let starts = !word.starts_with(is_part) || !before.is_some_and(is_part);
        let ends = !word.ends_with(is_part) || !after.is_some_and(is_part);
        starts && ends
    })
}

/// Every `use` spells its path in full for the search: `use std::{fs, env}` hides both.
fn has_hidden_paths(source: &str) -> bool {
    let text: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    ["use std::{", "use kube::{", "use jiff::{", "use jiff::tz::*", "use std::*", "use kube::*"].iter().any(
        |start| {
            text.split(start).skip(1).any(|rest| {
                let list = rest.split(';').next().unwrap_or_default();
                [
                    "fs", "env", "net", "process", "thread", "time", "Client", "Api", "runtime", "client",
                    "api", "*",
                ]
                .iter()
                .any(|name| list.split([',', '{', '}', ' ', ':']).any(|part| part == *name))
                    || start.ends_with('*')
            })
        },
    )
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the core can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_core_has_no_client_clock_environment_file_or_randomness() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
    let mut paths = Vec::new();
    sources(&core, &mut paths);
    assert!(paths.len() >= 20, "only {} sources under {}", paths.len(), core.display());
    let mut found = Vec::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("a source can be read");
        found.extend(impurities(&source).into_iter().map(|what| format!("{}:{what}", path.display())));
        if has_hidden_paths(&source) {
            found.push(format!("{}: a use of many names hides one that is not allowed", path.display()));
        }
    }
    assert!(found.is_empty(), "the core is not pure:\n{}", found.join("\n"));
}

#[test]
fn impure_code_is_found_out() {
    let rows = [
        "let now = Timestamp::now();",
        "    jiff::Zoned::now()",
        "let started = std::time::Instant::now();",
        "use std::time::SystemTime;",
        "let api: kube::Api<Job> = kube::Api::all(client);",
        "use kube::Client;",
        "use kube::runtime::watcher;",
        "std::env::var(\"HOME\")",
        "std::fs::read(path)",
        "std::net::TcpStream::connect(address)",
        "tokio::spawn(async move { work().await })",
        "    work().await",
        "let number: u8 = rand::random();",
        "use std::collections::HashMap;",
        "let seen = std::collections::HashSet::new();",
        "println!(\"{plan:?}\");",
        "let zone = TimeZone::get(name)?;",
        "let zone = jiff::tz::db().get(name)?;",
        "let local = now.in_tz(\"Europe/Berlin\")?;",
    ];
    for row in rows {
        assert!(!impurities(row).is_empty(), "not found out: {row}");
    }
    for row in
        ["use std::{collections::BTreeMap, fs};", "use kube::{\n    Api,\n    Resource,\n};", "use std::*;"]
    {
        assert!(has_hidden_paths(row), "not found out: {row}");
    }
}

#[test]
fn pure_code_is_left_alone() {
    let pure = "use jiff::{Timestamp, Span};\nuse std::collections::{BTreeMap, BTreeSet};\nlet brand::Name = operand;\n\
                TimeZoneDatabase::bundled().get(name)\nfn instant_of(clients: &Clients) {}\nuse kube::{KubeSchema, Resource};";
    assert_eq!(impurities(pure), Vec::<String>::new());
    assert!(!has_hidden_paths(pure));
}
