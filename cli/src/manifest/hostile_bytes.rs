//! Manifests that were changed at random: whatever is in a file, the answer is pipelines or mistakes for people, never a panic and never a
//! text without bound. `make fuzz` tries many times as many as `make test`.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Files of every shape: several documents, lists, JSON, anchors, merges, tags, and every way to write a text.
const SEEDS: [&str; 8] = [
    include_str!("../../../deploy/samples/crash-course/with-api-key.yaml"),
    include_str!("../../../deploy/samples/etl/pipeline.yaml"),
    include_str!("../../../deploy/samples/k8s-pipe/pipeline.yaml"),
    include_str!("../../../deploy/samples/jobs-and-daemonsets/file-daemon.yaml"),
    include_str!("../../../deploy/samples/mlops/pipeline.yaml"),
    include_str!("../../../deploy/samples/tuning/pipeline.yaml"),
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  data: {a: aGk=, b: '/w=='}\n  stringData: {c: !!str 1}\n- {\"apiVersion\": \"mlpipeline.dev/v1alpha1\", \"kind\": \"MLPipeline\", \"metadata\": {\"name\": \"p\"}, \"spec\": {\"steps\": [{\"name\": \"a\", \"run\": {\"image\": \"x\"}}]}}\n",
    "%YAML 1.2\n---\napiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: &meta\n  name: \"p\\u0031\"\n  labels: {a: *meta}\nspec:\n  pod: &pod\n    env: [{name: A, value: >-\n      folded\n      text}, {name: B, value: 'it''s'}]\n  steps:\n  - name: a\n    pod: {<<: *pod}\n    run:\n      image: x\n      command:\n      - |+\n        kept\n\n      - 0o17\n      - 0444\n      - yes\n      - .inf\n      - 1e999\n      - ~\n...\n---\n? [a, b]\n: c\n",
];

/// What breaks readers of YAML more often than chance does.
const PIECES: [&str; 36] = [
    "\0",
    "\t",
    "\r",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{1b}[2J",
    "\n",
    "\n---\n",
    "\n...\n",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a ",
    "<<: ",
    "!!binary ",
    "!<x> ",
    "!!map",
    "{",
    "}",
    "[[[[[[[[",
    "]",
    ",",
    "\"",
    "'",
    "|\n",
    ">9-\n",
    "#",
    "%TAG ! x\n",
    "99999999999999999999999999999999999999999",
    "-.inf",
    "0x",
    "1_0",
    "2001-01-01",
    "\\u0000",
];

/// One change of bytes.
#[derive(Clone, Debug)]
enum Change {
    /// A byte becomes another.
    Byte(Index, u8),
    /// All from here on goes.
    Cut(Index),
    /// Something is put in.
    Insert(Index, Vec<u8>),
    /// What begins here comes many times.
    Repeat(Index, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let bytes = prop_oneof![3 => piece, 1 => prop::collection::vec(any::<u8>(), 1..8)];
    prop_oneof![
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => any::<Index>().prop_map(Change::Cut),
        3 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), 1..64_usize, 1..2000_usize).prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
    ]
}

fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes.iter() {
        if bytes.is_empty() {
            break;
        }
        let place = |at: &Index| at.index(bytes.len());
        match change {
            Change::Byte(at, byte) => {
                let at = place(at);
                bytes[at] = *byte;
            }
            Change::Cut(at) => bytes.truncate(place(at)),
            Change::Insert(at, piece) => {
                let at = place(at);
                bytes.splice(at..at, piece.iter().copied());
            }
            Change::Repeat(at, length, times) => {
                let at = place(at);
                let piece = bytes[at..bytes.len().min(at + length)].repeat(*times);
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// The longest text of a mistake: a terminal shows it, and whatever reads the JSON.
const LONGEST: usize = 9 << 10;

#[test]
fn a_long_text_is_cut_in_what_is_said_of_it() {
    let long = "ä".repeat(1 << 20);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.yaml");
    for text in [
        format!("apiVersion: {long}\nkind: MLPipeline\n"),
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata: {{{long}: x=}}\n"),
        format!(
            "apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: {long}}}\nspec: {{{long}: {long}}}\n"
        ),
        format!("a: *{long}\n"),
    ] {
        std::fs::write(&file, &text).expect("a file");
        let found = Manifests::read(std::slice::from_ref(&file), Namespace::Unset);
        assert!(!found.problems.is_empty(), "{text:.40}");
        for problem in &found.problems {
            assert!(problem.to_string().len() <= LONGEST, "{text:.40}: {:.80}", problem.to_string());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_manifest_is_read_or_its_mistakes_are_named(
        seed in prop::sample::select(SEEDS.to_vec()), changes in prop::collection::vec(change(), 0..6)
    ) {
        let bytes = apply(seed.as_bytes().to_vec(), &changes);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("p.yaml");
        std::fs::write(&file, &bytes).expect("a file");
        let found = Manifests::read(std::slice::from_ref(&file), Namespace::Unset);
        prop_assert!(found.count > 0 || !found.problems.is_empty(), "nothing is said");
        // What ends a line is read in more than one way.
        let lines = 1 + bytes.iter().filter(|byte| b"\n\r".contains(byte)).count()
            + String::from_utf8_lossy(&bytes).matches(['\u{85}', '\u{2028}', '\u{2029}']).count();
        for problem in &found.problems {
            let text = problem.to_string();
            prop_assert!(!problem.problem.trim().is_empty() && text.len() <= LONGEST, "{} bytes: {:.300}", text.len(), text);
            if let Some(at) = problem.at {
                prop_assert!(at.line >= 1 && at.column >= 1 && at.line <= lines as u64 + 1, "{:?} of {lines}: {:.300}", at, text);
            }
        }
    }

    #[test]
    fn changed_variables_are_read_or_the_line_is_named(changes in prop::collection::vec(change(), 0..6)) {
        let seed = "# mine\nexport A=1\nB='two words'\nC=\"x=y\"\n\nD=\n";
        let bytes = apply(seed.as_bytes().to_vec(), &changes);
        let mut objects = Objects::default();
        if let Err(problem) = objects.add_defaults(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(problem.starts_with("line ") && problem.len() < 100, "{}", problem);
        }
        for name in objects.defaults().keys() {
            prop_assert!(!name.is_empty() && !name.contains('='), "{:?}", name);
        }
    }
}
