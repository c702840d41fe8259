//! Servers that repeat the credentials that they were given: in no report, status or log, whatever form they give them.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod support;

use receiver::Receiver;
use serde_json::json;
use support::{Volume, input, prepare};

const PASSWORD: &str = "hunter2\"<&> /ü";

/// What a server answers that was given this Authorization header.
type Repeat = fn(&str) -> String;

#[test]
fn what_a_receiver_repeats_of_credentials_is_in_no_report_and_no_log() {
    let forms: [(&str, Repeat); 6] = [
        ("the header as it came", |header| format!("who is {header}?")),
        ("the password", |_| format!("who has {PASSWORD}?")),
        ("JSON", |_| json!({"error": {"password": PASSWORD}}).to_string()),
        ("JSON in ASCII", |_| r#"{"password": "hunter2\"<&> \/\u00fc"}"#.to_owned()),
        ("percent signs", |_| "password=hunter2%22%3C%26%3E+%2F%C3%BC".to_owned()),
        ("XML and colours", |_| "<Message>\u{1b}[31mhunter2&quot;&lt;&amp;&gt; /ü</Message>".to_owned()),
    ];
    for (form, repeat) in forms {
        let receiver = Receiver::answering(move |_, post| {
            ("422 Unprocessable Content".into(), repeat(post.authorization.as_deref().unwrap_or_default()))
        });
        let volume = Volume::new();
        volume.put("in.csv", "a\n1\n");
        let mut spec = prepare(input("file:in.csv"), None);
        spec["action"]["prepare"]["delivery"] =
            json!({"uri": receiver.url(), "credentials": "MLPIPELINE_SECRET_OUTPUT_"});
        let ended = volume.step_with(
            &spec,
            &["--allow-address=127.0.0.0/8", "--fetch-attempts=1"],
            &[
                ("MLPIPELINE_SECRET_OUTPUT_username", "writer"),
                ("MLPIPELINE_SECRET_OUTPUT_password", PASSWORD),
                ("RUST_LOG", "trace"),
            ],
        );
        assert_eq!(ended.code, 3, "{form}: {ended:#?}");
        assert!(ended.message().contains('…'), "{form}: {}", ended.message());
        let header = receiver.posts()[0].authorization.clone().expect("credentials");
        let encoded = header.strip_prefix("Basic ").expect("basic authentication");
        // The end of what is encoded is of the password alone.
        let tail = &encoded[encoded.len() - 12..encoded.len() - 4];
        for text in [ended.message(), &ended.stderr] {
            for part in ["hunter2", tail, "\u{1b}"] {
                assert!(!text.contains(part), "{form}: {part:?} is in {text}");
            }
        }
    }
}
