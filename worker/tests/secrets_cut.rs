//! Servers that repeat the token that they were given in a text of which messages show the beginning: no part of it is shown.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod support;

use receiver::Receiver;
use serde_json::{Value, json};
use support::{Ended, Server, Volume, answer, input, prepare};

/// Of signs that follow on each other like this nowhere else.
const TOKEN: &str = "Zq7Xv9Kw3Jy5Hb1Zx8Qv2Wk6Yj4Bh0Xq9Zv7Kx3Jw5Yb1Hq8Zx2Vw6Kj4Yh0Bq9Xz7Vq3Wx5Kj1Yv8Hb2Zq6Xw4Jk0Vy9Bh7Qz3Xv5Wj1Kq8Yx2Zb6";

/// How much of the token is found in no message, in bytes.
const LEAST: usize = 4;

const FLAGS: [&str; 3] = ["--allow-address=127.0.0.0/8", "--fetch-attempts=1", "--idle-timeout=2s"];

/// Asserts that something failed, and that no part of the token is in what it said.
fn said_nothing_of_it(name: &str, ended: &Ended) {
    assert_ne!(ended.code, 0, "{name}: {ended:?}");
    for text in [ended.message(), &ended.stderr] {
        let text = text.to_ascii_lowercase();
        let token = TOKEN.to_ascii_lowercase();
        let parts = (0..=token.len() - LEAST).filter_map(|at| token.get(at..at + LEAST));
        let left: Vec<&str> = parts.filter(|part| text.contains(part)).collect();
        assert!(left.is_empty(), "{name}: {left:?} is left in {}", text.get(..2000).unwrap_or(&text));
    }
}

#[test]
fn no_part_of_a_token_is_shown_where_a_message_shows_the_beginning_of_a_text() {
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let long = format!("{bearer} and more of the same {}", "x".repeat(200));
    let text = |body: String| json!({"body": body, "source": {"format": "text", "pattern": "^GET (?<a>.*)"}, "more": {}});
    let integers = json!({"format": "csv", "reading": {"types": {"n": "integer"}}});
    let checks = json!({"checks": [{"column": "v", "oneOf": ["ok"]}]});
    let cases: [(&str, Value); 6] = [
        ("a line without the pattern", text(format!("GET / a\n{long}\n"))),
        ("a line that is cut in the token", text(format!("GET / a\n{}{TOKEN}\n", "-".repeat(70)))),
        ("another type", json!({"body": format!("n\n1\n{long}\n"), "source": integers, "more": {}})),
        (
            "another type, cut",
            json!({"body": format!("n\n1\n{}{TOKEN}\n", "-".repeat(73)), "source": integers, "more": {}}),
        ),
        ("a check", json!({"body": format!("v\n{long}\n"), "source": {"format": "csv"}, "more": checks})),
        (
            "a check, cut",
            json!({"body": format!("v\n{}{TOKEN}\n", "-".repeat(52)), "source": {"format": "csv"}, "more": checks}),
        ),
    ];
    for (name, case) in cases {
        let body = case["body"].as_str().expect("a text").to_owned();
        let server = Server::start(move |_, _| answer("200 OK", "", &body));
        let mut source = case["source"].clone();
        source["uri"] = server.url("/d").into();
        source["credentials"] = "MLPIPELINE_SECRET_INPUT_t_".into();
        let mut spec = prepare(json!([{"name": "t", "source": {"uri": source}}]), None);
        for (field, value) in case["more"].as_object().expect("fields") {
            spec["action"]["prepare"][field] = value.clone();
        }
        let ended = Volume::new().step_with(&spec, &FLAGS, &[("MLPIPELINE_SECRET_INPUT_t_token", TOKEN)]);
        said_nothing_of_it(name, &ended);
    }
    let server = Server::start(|_, _| answer("200 OK", &format!("Content-Encoding: {TOKEN}\r\n"), "a\n1\n"));
    let source = json!({"uri": server.url("/d.csv"), "credentials": "MLPIPELINE_SECRET_INPUT_t_"});
    let spec = prepare(json!([{"name": "t", "source": {"uri": source}}]), None);
    let ended = Volume::new().step_with(&spec, &FLAGS, &[("MLPIPELINE_SECRET_INPUT_t_token", TOKEN)]);
    said_nothing_of_it("the name of an encoding", &ended);
}

#[test]
fn no_part_of_a_token_is_shown_of_an_answer_that_is_not_read_to_its_end() {
    // Signs that control a terminal are left out of what is shown, so that it begins far behind the beginning of the answer.
    for (name, left_out, kept) in
        [("all but the last sign", 65_536 - TOKEN.len() + 1, TOKEN.len() - 1), ("the first signs", 65_530, 6)]
    {
        let body =
            format!("{}{}", "\u{1}".repeat(left_out), TOKEN.get(..kept).expect("signs")) + &TOKEN[kept..];
        let receiver = Receiver::answering(move |_, _| ("422 Unprocessable Content".into(), body.clone()));
        let volume = Volume::new();
        volume.put("in.csv", "a\n1\n");
        let mut spec = prepare(input("file:in.csv"), None);
        spec["action"]["prepare"]["delivery"] =
            json!({"uri": receiver.url(), "credentials": "MLPIPELINE_SECRET_OUTPUT_"});
        let ended = volume.step_with(&spec, &FLAGS, &[("MLPIPELINE_SECRET_OUTPUT_token", TOKEN)]);
        said_nothing_of_it(name, &ended);
    }
}
