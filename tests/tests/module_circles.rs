//! No two modules of a crate need each other: whoever reads one never has to read the other first, and each can be moved.
//!
//! Text alone is read: `use` declarations, and paths that begin with `crate` or `super`. Siblings are compared at every level; what
//! a module takes from its parent is not counted, and neither are tests.

#![expect(clippy::expect_used, reason = "a test fails by a panic, in functions beside it too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use mlpipeline_tests::programs;
use regex::Regex;

/// Crates, by the folders of their sources.
const CRATES: [&str; 6] =
    ["crds/src", "operator/core/src", "operator/cluster/src", "operator/src", "worker/src", "cli/src"];

/// A module's name below its crate, and the modules that it uses.
type Uses = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// All files of a crate, as modules with their text.
fn modules(folder: &Path, name: &[String], found: &mut BTreeMap<Vec<String>, String>) {
    for entry in fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut inner = name.to_vec();
        if path.is_dir() {
            inner.push(stem);
            modules(&path, &inner, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "main" {
            if !matches!(stem.as_str(), "mod" | "lib") {
                inner.push(stem.clone());
            }
            let is_test = stem == "tests" || stem.ends_with("_tests") || stem.starts_with("test_");
            if !is_test {
                found.insert(inner, plain(&fs::read_to_string(&path).expect("a source")));
            }
        }
    }
}

/// A text without comments and without the tests at its end.
fn plain(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text.get(..end).unwrap_or_default().lines();
    lines.map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every path of a `use` tree.
fn paths(prefix: &[String], tree: &str) -> Vec<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for sign in tree.chars() {
        match sign {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match parts.last_mut() {
            Some(_) if sign == ',' && depth == 0 => parts.push(String::new()),
            Some(part) => part.push(sign),
            None => {}
        }
    }
    let mut all = Vec::new();
    for part in parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        let names = |text: &str| -> Vec<String> {
            let plain = text.split(" as ").next().unwrap_or_default();
            plain.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let (own, inner) = part.split_once('{').map_or((part, None), |(own, inner)| (own, Some(inner)));
        let path = [prefix.to_vec(), names(own)].concat();
        match inner {
            Some(inner) => all.extend(paths(&path, inner.trim_end().strip_suffix('}').unwrap_or(inner))),
            None => all.push(path),
        }
    }
    all
}

/// The paths that a module names, each with whether it hands them on with `pub use`.
fn named(text: &str) -> Vec<(bool, Vec<String>)> {
    static USES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)(pub(?:\([a-z]+\))? )?\buse ([^;]+);").expect("a pattern"));
    static INLINE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(?:crate|super)(?:::\w+)+").expect("a pattern"));
    let mut all = Vec::new();
    for found in USES.captures_iter(text) {
        all.extend(paths(&[], &found[2]).into_iter().map(|path| (found.get(1).is_some(), path)));
    }
    let rest = USES.replace_all(text, "");
    all.extend(
        INLINE.find_iter(&rest).map(|found| (false, found.as_str().split("::").map(str::to_owned).collect())),
    );
    all
}

/// Whether a module itself defines what has this name.
fn defines(text: &str, name: &str) -> bool {
    ["struct", "enum", "union", "trait", "type", "fn", "const", "static"].into_iter().any(|kind| {
        let item = format!("{kind} {name}");
        let is_longer = |rest: &str| rest.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_');
        text.match_indices(&item)
            .any(|(at, _)| text.get(at + item.len()..).is_some_and(|rest| !is_longer(rest)))
    })
}

struct Crate {
    modules: BTreeMap<Vec<String>, String>,
    /// The modules all of whose names `pub use …::*` gives another place.
    globs: BTreeMap<Vec<String>, Vec<Vec<String>>>,
    /// What `pub use` gives another place: where it stands, and where it leads.
    exports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Crate {
    fn read(folder: &str) -> Self {
        let mut found = BTreeMap::new();
        modules(&programs::repository().join(folder), &[], &mut found);
        Self::of(found)
    }

    fn of(modules: BTreeMap<Vec<String>, String>) -> Self {
        static MACRO: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"#\[macro_export\]\s*macro_rules! (\w+)").expect("a pattern"));
        // What has `macro_export` is found at the root of its crate.
        let at_root = |(module, text): (&Vec<String>, &String)| {
            let names =
                MACRO.captures_iter(text).map(|found| ((Vec::new(), found[1].to_owned()), module.clone()));
            names.collect::<Vec<_>>()
        };
        let exports = modules.iter().flat_map(at_root).collect();
        let mut read = Self { modules, globs: BTreeMap::new(), exports };
        // Twice, for what is handed on by one that hands it on.
        for _ in 0..2 {
            let (mut exports, mut globs) = (read.exports.clone(), BTreeMap::<_, Vec<_>>::new());
            for (module, text) in &read.modules {
                for (_, path) in named(text).into_iter().filter(|(handed_on, _)| *handed_on) {
                    let Some(target) = read.resolve(module, &path) else { continue };
                    match path.last().map(String::as_str) {
                        Some("*") => globs.entry(module.clone()).or_default().push(target),
                        Some(name) => drop(exports.insert((module.clone(), name.to_owned()), target)),
                        None => {}
                    }
                }
            }
            (read.exports, read.globs) = (exports, globs);
        }
        read
    }

    /// The module that a path leads to; `None` outside of the crate.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let (mut at, mut rest) = (module.to_vec(), path);
        match path.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = rest.get(1..)?;
            }
            "self" => rest = rest.get(1..)?,
            "super" => {
                while let Some(("super", behind)) =
                    rest.split_first().map(|(name, rest)| (name.as_str(), rest))
                {
                    at.pop();
                    rest = behind;
                }
            }
            first => {
                let inner = [module.to_vec(), vec![first.to_owned()]].concat();
                self.modules.get(&inner)?;
            }
        }
        for name in rest {
            let inner = [at.clone(), vec![name.clone()]].concat();
            if self.modules.contains_key(&inner) {
                at = inner;
            } else {
                return Some(self.exported(&at, name, &mut BTreeSet::new()).unwrap_or(at));
            }
        }
        Some(at)
    }

    /// The module that a name comes from which another one hands on, by itself or with all others.
    fn exported(
        &self,
        module: &[String],
        name: &str,
        seen: &mut BTreeSet<Vec<String>>,
    ) -> Option<Vec<String>> {
        // Two modules may hand on all of each other.
        if !seen.insert(module.to_vec()) {
            return None;
        }
        if let Some(target) = self.exports.get(&(module.to_vec(), name.to_owned())) {
            return Some(target.clone());
        }
        self.globs.get(module).into_iter().flatten().find_map(|target| {
            let is_its_own = self.modules.get(target).is_some_and(|text| defines(text, name));
            if is_its_own { Some(target.clone()) } else { self.exported(target, name, seen) }
        })
    }

    fn uses(&self) -> Uses {
        let of = |module: &Vec<String>, text: &String| {
            named(text).iter().filter_map(|(_, path)| self.resolve(module, path)).collect()
        };
        self.modules.iter().map(|(module, text)| (module.clone(), of(module, text))).collect()
    }
}

/// For each module with children, which child uses which other one.
fn siblings(uses: &Uses) -> BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> {
    let mut all: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, targets) in uses {
        for to in targets {
            let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
            if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                let parent = from.get(..shared).unwrap_or_default().to_vec();
                all.entry(parent).or_default().entry(one.clone()).or_default().insert(other.clone());
            }
        }
    }
    all
}

/// Whether one sibling leads to another, perhaps through more of them.
fn leads(edges: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for next in edges.get(at).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    false
}

/// The circles of a crate, each as the siblings in it with their parent.
fn circles(folder: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (parent, edges) in siblings(&Crate::read(folder).uses()) {
        for one in edges.keys().filter(|one| leads(&edges, one, one)) {
            let circle: Vec<&str> = edges
                .keys()
                .filter(|other| leads(&edges, one, other) && leads(&edges, other, one))
                .map(String::as_str)
                .collect();
            found.insert(format!("{folder}/{}: {}", parent.join("/"), circle.join(" <-> ")));
        }
    }
    found.into_iter().collect()
}

#[test]
fn no_modules_of_a_crate_need_each_other() {
    let found: Vec<String> = CRATES.iter().flat_map(|folder| circles(folder)).collect();
    assert!(found.is_empty(), "modules that need each other; move what they share below both: {found:#?}");
}

#[test]
fn the_reader_of_sources_finds_a_circle() {
    let edges = |pairs: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (from, to) in pairs {
            let names = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
            uses.entry(names(from)).or_default().insert(names(to));
        }
        siblings(&uses).remove(&Vec::new()).unwrap_or_default()
    };
    let circle = edges(&[("a::x", "b"), ("b", "c::y"), ("c", "a")]);
    assert!(leads(&circle, "a", "a"));
    let line = edges(&[("a::x", "b"), ("b", "c::y"), ("a", "c")]);
    assert!(!leads(&line, "a", "a"));
    let of = |(name, text): (&str, &str)| {
        let path = name.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        (path, text.to_owned())
    };
    let sources = [
        ("", "mod a;\nmod b;\npub use a::*;\npub use b::B;"),
        ("a", "mod inner;\npub use inner::*;"),
        ("a::inner", "use crate::B;\npub struct A(B);"),
        ("b", "use crate::{A, table};\npub enum B { Of(Box<A>) }"),
        ("c", "use crate::B;\n#[macro_export]\nmacro_rules! table {}"),
    ];
    let handed_on = siblings(&Crate::of(sources.into_iter().map(of).collect()).uses());
    assert!(leads(&handed_on[&Vec::new()], "a", "b"), "by names that a glob hands on: {handed_on:?}");
    assert!(handed_on[&Vec::new()]["b"].contains("c"), "by a macro that is found at the root: {handed_on:?}");
    let tree = "crate::{a::{self, B}, c as d}, super::e";
    let found: Vec<String> = paths(&[], tree).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["crate::a::self", "crate::a::B", "crate::c", "super::e"]);
}
