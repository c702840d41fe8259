//! What is wrong with a line that is no object of JSON, for people: what it is instead, and what makes an object of it.
//!
//! Looks at the line alone, and only where it is wrong.

use crate::table::text::{OLD_LINE_ENDS, nul_run, shown};

/// How objects come into one line each.
const ONE_A_LINE: &str = "write one object a line, for example with jq -c .";

/// How the objects of an array come into one line each.
const OUT_OF_ARRAY: &str = "write one object a line, for example with jq -c '.[]'";

/// What other programs write that JSON does not have, and what to write.
const FOREIGN: [(&str, &str); 7] = [
    ("NaN", "JSON has no NaN: write null"),
    ("nan", "JSON has no NaN: write null"),
    ("Infinity", "JSON has no Infinity: write null"),
    ("inf", "JSON has no Infinity: write null"),
    ("None", "it is written as Python shows it: write null, as json.dumps does"),
    ("True", "it is written as Python shows it: write true, as json.dumps does"),
    ("False", "it is written as Python shows it: write false, as json.dumps does"),
];

/// What is said of a line that does not begin as an object does.
pub(super) fn not_object(line: &[u8]) -> String {
    if let Some((_, problem)) = nul_run(line) {
        return problem;
    }
    let way = if line.starts_with(b"[") { OUT_OF_ARRAY } else { ONE_A_LINE };
    let text = String::from_utf8_lossy(line);
    format!(
        "the line is not a JSON object but {}; NDJSON has no objects over several lines and no arrays of them: {way}",
        shown(&text)
    )
}

/// What is said of a line that begins as an object does, and is none.
pub(super) fn not_json(line: &[u8], error: &serde_json::Error) -> String {
    if let Some((_, problem)) = nul_run(line) {
        return problem;
    }
    // serde_json says "at line 1 column 5"; the line is always 1 here, and the caller knows the real one.
    let said = error.to_string().replace(" at line 1 column ", " at column ");
    match way_out(line, error) {
        Some(way) => format!("the line is not valid JSON: {said}; {way}"),
        None => format!("the line is not valid JSON: {said}"),
    }
}

fn way_out(line: &[u8], error: &serde_json::Error) -> Option<String> {
    if error.is_data() {
        // It is JSON, and what is wrong was said by us.
        return None;
    }
    let at = error.column().saturating_sub(1);
    let rest = line.get(at..).unwrap_or_default();
    if error.is_eof() {
        return Some(format!(
            "the object does not end in this line; if it is written over several lines, {ONE_A_LINE}"
        ));
    }
    // As a blank between objects; within texts it is never written so.
    if memchr::memchr(b'\r', line).is_some() {
        return Some(OLD_LINE_ENDS.to_owned());
    }
    if rest.starts_with(b",") && error.to_string().starts_with("trailing characters") {
        return Some(format!("objects with commas between them are those of an array: {OUT_OF_ARRAY}"));
    }
    if rest.starts_with(b"{") && error.to_string().starts_with("trailing characters") {
        return Some(format!("there are several objects in this line: {ONE_A_LINE}"));
    }
    if rest.starts_with(b"'") {
        return Some("texts of JSON stand in double quotes".to_owned());
    }
    // The parser stops behind what it takes for the beginning of another word.
    let near = line.get(at.saturating_sub(1)..).unwrap_or_default();
    let near = near.trim_ascii_start();
    let near = match near {
        [b':' | b'[' | b',' | b'-', behind @ ..] => behind.trim_ascii_start(),
        other => other,
    };
    let found = FOREIGN.iter().find(|(word, _)| near.starts_with(word.as_bytes()));
    found.map(|(_, advice)| (*advice).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_said_with_a_way_out() {
        for (line, part) in [
            (r#"{"a":NaN}"#, "JSON has no NaN: write null"),
            (r#"{"a": NaN, "b": 1}"#, "JSON has no NaN"),
            (r#"{"a":nan}"#, "JSON has no NaN"),
            (r#"{"a":[1,-Infinity]}"#, "JSON has no Infinity"),
            (r#"{"a":None}"#, "as json.dumps does"),
            (r#"{"a":True}"#, "write true"),
            ("{'a':1}", "double quotes"),
            (
                "{",
                "does not end in this line; if it is written over several lines, write one object a line, for example with jq -c .",
            ),
            (r#"{"a":[1,"#, "does not end in this line"),
            (r#"{"a":1},"#, "jq -c '.[]'"),
            (r#"{"a":1}{"a":2}"#, "several objects in this line"),
            ("{\"a\":1}\r{\"a\":2}", "carriage returns"),
            ("{\"a\":\0\0}", "2 NUL bytes here"),
        ] {
            let error = serde_json::from_str::<serde_json::Value>(line).expect_err(line);
            let problem = not_json(line.as_bytes(), &error);
            assert!(problem.contains(part), "{line}: {problem}");
        }
        assert!(not_object(b"[{\"a\":1}]").ends_with("jq -c '.[]'"));
        let within = not_object(b"\"a\": 1,");
        assert!(within.starts_with("the line is not a JSON object but \"\\\"a\\\": 1,\"; "), "{within}");
    }
}
