//! Words: one term for one thing, and the field's own. What programs print, and the pages, use none of the words that were replaced.

#![expect(clippy::expect_used, reason = "a test fails by a panic, in functions beside it too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mlpipeline_tests::programs;
use regex::Regex;

/// Where the texts are that users see, and what their files end with. The changelog is what it was.
const PLACES: [(&str, &str); 11] = [
    ("crds/src", "rs"),
    ("operator/core/src", "rs"),
    ("operator/cluster/src", "rs"),
    ("operator/src", "rs"),
    ("worker/src", "rs"),
    ("cli/src", "rs"),
    ("docs", "md"),
    ("deploy", "md"),
    ("charts", "md"),
    ("README.md", "md"),
    ("ARCHITECTURE.md", "md"),
];

/// Words that were replaced, each with what is written instead.
const REPLACED: [(&str, &str); 8] = [
    (r"\bfor ever\b", "forever"),
    (r"\b(?:mend|mends|mended|mending)\b", "fix"),
    (r"\b(?:trouble|troubles)\b", "pod issue, or failure"),
    (r"\b(?:lifeline|lifelines)\b", "watchdog"),
    (r"\b(?:blindness|blind spots?)\b", "missing permission"),
    (r"\b(?:setback|setbacks)\b", "reconcile error"),
    (r"\bearlier self\b", "a previous operator instance"),
    (r"\btells? (?:[\w-]+ ){0,4}apart\b", "distinguish"),
];

/// What may follow "is no", which is else "is not a valid …" or "is not a …".
const MAY_FOLLOW: [&str; 8] = ["longer", "more", "less", "other", "need", "larger", "better", "reason"];

/// Texts that hold such a word all the same: a flag that earlier releases had is still understood.
const ALLOWED: [&str; 1] = ["lifeline"];

/// What stands between quotes.
static LITERAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""((?:[^"\\]|\\.)*)""#).expect("a pattern"));

/// The replaced words as patterns.
static WORDS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let pattern = |word: &str| Regex::new(&format!("(?i){word}")).expect("a pattern");
    REPLACED.iter().map(|(word, instead)| (pattern(word), *instead)).collect()
});

/// What is said not to be something.
static IS_NO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:\b(\w+)\s+)?\b(is|are)\s+no\s+(\w+)").expect("a pattern"));

/// The files of a place, tests not.
fn files(place: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let name = place.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_test =
        name == "tests" || name.ends_with("_tests") || name.starts_with("test_") || name == "hostile_bytes";
    if place.is_dir() && !is_test {
        let inner = fs::read_dir(place).expect("a folder").map(|entry| entry.expect("an entry").path());
        inner.for_each(|path| files(&path, ending, found));
    } else if !is_test && place.extension().is_some_and(|extension| extension == ending) {
        found.push(place.to_owned());
    }
}

/// The texts between quotes of a source, without comments and without the tests at its end.
fn literals(source: &str) -> Vec<String> {
    let end = source.find("#[cfg(test)]\nmod tests {").unwrap_or(source.len());
    let lines = source.get(..end).unwrap_or_default().lines();
    let code: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("'\"'", "' '").replace("'\\\"'", "' '");
    LITERAL.captures_iter(&code).map(|found| found[1].to_owned()).collect()
}

/// What is wrong with a text.
fn wrong(text: &str) -> Vec<String> {
    let replaced = WORDS.iter().flat_map(|(pattern, instead)| {
        let found: Vec<String> = pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect();
        found
            .into_iter()
            .filter(|word| !ALLOWED.contains(&text) || word != text)
            .map(move |word| format!("{word:?}: write {instead}"))
    });
    let negated = IS_NO.captures_iter(text).filter_map(|found| {
        let is_of_there = found.get(1).is_some_and(|word| word.as_str().eq_ignore_ascii_case("there"));
        let is_other = MAY_FOLLOW.contains(&&found[3]);
        (!is_of_there && !is_other).then(|| format!("{:?}: write {} not a …", &found[0], &found[2]))
    });
    replaced.chain(negated).collect()
}

#[test]
fn messages_and_pages_use_the_words_of_the_field() {
    let mut found = Vec::new();
    for (place, ending) in PLACES {
        let mut all = Vec::new();
        files(&programs::repository().join(place), ending, &mut all);
        assert!(!all.is_empty(), "{place} has files");
        for path in all {
            let text = fs::read_to_string(&path).expect("a text");
            let texts = if ending == "rs" { literals(&text) } else { vec![text] };
            found.extend(
                texts.iter().flat_map(|text| wrong(text)).map(|wrong| format!("{}: {wrong}", path.display())),
            );
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_word_that_was_replaced_is_found_and_plain_english_is_not() {
    for text in ["it waits for ever", "\"x\" is no number", "Mend it", "what tells both of them apart"] {
        assert_eq!(wrong(text).len(), 1, "{text}");
    }
    for text in ["there is no file", "it is no longer there", "recommended", "for every row", "lifeline"] {
        assert!(wrong(text).is_empty(), "{text}");
    }
    let source = "// \"is no comment\"\nlet a = \"is \\\"no\\\" text\";\nlet b = \"c\";";
    assert_eq!(literals(source), ["is \\\"no\\\" text", "c"]);
}
