//! Servers that repeat the credentials that they were given: in no report, status or log, whatever form they give them.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod support;

use std::path::Path;

use receiver::Receiver;
use serde_json::json;
use support::{Server, Volume, answer, input, prepare};

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

/// Every file below a folder that holds this text.
fn holders(folder: &Path, text: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => holders(&path, text),
        false if String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).contains(text) => {
            vec![path.file_name().expect("a name").to_string_lossy().into_owned()]
        }
        false => Vec::new(),
    });
    found.collect()
}

#[test]
fn what_a_server_of_rows_repeats_of_the_url_is_in_no_report_and_no_log() {
    const KEY: &str = "Zq7Xv9Kw3Jy5Hb1Z";
    const PASSWORD: &str = "hunter2-and-more";
    let server = Server::start(|path, _| match path.split('?').next().unwrap_or_default() {
        "/path.csv" => answer("302 Found", &format!("Location: /{KEY}/{PASSWORD}.csv\r\n"), ""),
        "/scheme.csv" => answer("302 Found", &format!("Location: {KEY}://{PASSWORD}/\r\n"), ""),
        "/encoding.csv" => answer("200 OK", &format!("Content-Encoding: {KEY}\r\n"), "a\n1\n"),
        "/json.csv" => answer("200 OK", "", format!("{{\"error\":\"no {KEY} of {PASSWORD}\"}}\n")),
        _ => answer("404 Not Found", "", format!("no {KEY}")),
    });
    for path in ["/path.csv", "/scheme.csv", "/encoding.csv", "/json.csv", "/gone.csv"] {
        let url = format!("http://me:{PASSWORD}@{}{path}?api-key={KEY}", server.address);
        let ended = Volume::new()
            .step(&prepare(input(&url), None), &["--allow-address=127.0.0.0/8", "--fetch-attempts=1"]);
        assert_eq!(ended.code, 3, "{path}: {ended:#?}");
        assert!(ended.message().contains('…'), "{path}: {}", ended.message());
        for text in [ended.report.to_json(), ended.stderr.clone()] {
            let text = text.to_ascii_lowercase();
            assert!(!text.contains("zq7xv9kw") && !text.contains("hunter2"), "{path}: {text}");
        }
    }
}

#[test]
fn what_a_server_of_rows_repeats_of_a_token_is_in_no_report_and_no_log_and_rows_are_data() {
    const TOKEN: &str = "Zq7Xv9Kw3Jy5Hb1Z";
    let other = Server::start(|_, _| answer("404 Not Found", "", format!("no Bearer {TOKEN}")));
    let away = other.url(&format!("/{TOKEN}.csv?token={TOKEN}"));
    let server = Server::start(move |path, _| match path {
        "/error.csv" => answer("403 Forbidden", "", format!("Bearer {TOKEN} may not read this")),
        "/path.csv" => answer("302 Found", &format!("Location: /{TOKEN}.csv?token={TOKEN}\r\n"), ""),
        "/away.csv" => answer("302 Found", &format!("Location: {away}\r\n"), ""),
        "/scheme.csv" => answer("302 Found", &format!("Location: {TOKEN}://{TOKEN}/\r\n"), ""),
        "/reason.csv" => answer(&format!("403 Bearer {TOKEN}"), "", ""),
        "/header.csv" => {
            let headers =
                format!("ETag: \"{TOKEN}\"\r\nContent-Type: {TOKEN}\r\nX-Asked: Bearer {TOKEN}\r\n");
            answer("200 OK", &headers, "a\n1\n")
        }
        "/encoding.csv" => answer("200 OK", &format!("Content-Encoding: {TOKEN}\r\n"), "a\n1\n"),
        "/row.csv" => answer("200 OK", "", format!("a\nBearer {TOKEN}\n")),
        "/long.csv" => answer("200 OK", "", format!("a\nBearer {TOKEN},b,c\n")),
        _ => answer("404 Not Found", "", format!("no Bearer {TOKEN}")),
    });
    for (path, code, found) in [
        ("/error.csv", 3, &[][..]),
        ("/path.csv", 3, &[]),
        ("/away.csv", 3, &[]),
        ("/scheme.csv", 3, &[]),
        ("/reason.csv", 3, &[]),
        ("/encoding.csv", 3, &[]),
        ("/header.csv", 0, &[]),
        // What a server sends as a row is its data, whatever it says there.
        ("/row.csv", 0, &["data.csv"]),
        ("/long.csv", 3, &[]),
    ] {
        let volume = Volume::new();
        let source = json!({"uri": server.url(path), "credentials": "MLPIPELINE_SECRET_INPUT_t_"});
        let spec = prepare(json!([{"name": "t", "source": {"uri": source}}]), None);
        let ended = volume.step_with(
            &spec,
            &["--allow-address=127.0.0.0/8", "--fetch-attempts=1"],
            &[("MLPIPELINE_SECRET_INPUT_t_token", TOKEN), ("RUST_LOG", "trace")],
        );
        assert_eq!(ended.code, code, "{path}: {ended:#?}");
        for text in [&ended.report.to_json(), &ended.stderr] {
            assert!(!text.to_ascii_lowercase().contains(&TOKEN.to_ascii_lowercase()), "{path}: {text}");
        }
        assert_eq!(holders(volume.path(), TOKEN), found, "{path}");
    }
    let bearer = Some(format!("Bearer {TOKEN}"));
    assert!(server.authorizations().iter().all(|asked| *asked == bearer), "the token was not sent");
    assert_eq!(other.authorizations(), [None]);
}
