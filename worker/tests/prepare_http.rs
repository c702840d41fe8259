//! Fetching: what a server may do wrong, and what is refused whatever it answers.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::time::Instant;

use mlpipeline_crds::Digest;
use serde_json::json;
use support::{Answer, Ended, Server, Volume, answer, input, prepare};

const QUICK: [&str; 8] = [
    "--allow-address=127.0.0.0/8",
    "--fetch-attempts=3",
    "--fetch-backoff=1ms",
    "--idle-timeout=300ms",
    "--connect-timeout=2s",
    "--max-download=1MiB",
    "--log-format=text",
    "--scratch=/tmp",
];

fn fetch(server: &Server, path: &str) -> Ended {
    Volume::new().step(&prepare(input(&server.url(path)), None), &QUICK)
}

#[test]
fn a_file_is_fetched_by_its_extension_or_by_the_given_format() {
    let server = Server::start(|_, _| answer("200 OK", "", "a,b\n1,x\n"));
    let volume = Volume::new();
    let ended = volume.step(&prepare(input(&server.url("/iris.csv?token=secret")), None), &QUICK);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,x\n");
    fetch(&server, "/iris").fails(2, "SourceRefused", &["format"]);
    let inputs = json!([{"name": "t", "source": {"uri": {"uri": server.url("/iris"), "format": "csv"}}}]);
    Volume::new().step(&prepare(inputs, None), &QUICK).succeeds();
}

#[test]
fn an_answer_that_is_final_is_not_asked_for_again() {
    for status in ["404 Not Found", "403 Forbidden", "204 No Content"] {
        let server = Server::start(move |_, _| answer(status, "", ""));
        fetch(&server, "/a.csv?sig=secret").fails(3, "FetchRefused", &["/a.csv?…", status]);
        assert_eq!(server.requests(), 1);
    }
}

#[test]
fn an_answer_that_may_change_is_asked_for_again() {
    let server = Server::start(|_, _| answer("500 Internal Server Error", "", ""));
    fetch(&server, "/a.csv").fails(4, "FetchFailed", &["500", "tried 3 times"]);
    assert_eq!(server.requests(), 3);
    let server = Server::start(|_, number| match number {
        1 => answer("503 Service Unavailable", "Retry-After: 0\r\n", ""),
        2 => answer("429 Too Many Requests", "", ""),
        _ => answer("200 OK", "", "a\n1\n"),
    });
    fetch(&server, "/a.csv").succeeds();
}

#[test]
fn what_is_only_accepted_is_not_ready() {
    let server = Server::start(|_, number| match number {
        1 => answer("202 Accepted", "Retry-After: 0\r\n", "{\"state\":\"running\"}"),
        _ => answer("200 OK", "", "a\n1\n"),
    });
    fetch(&server, "/a.csv").succeeds();
    let server = Server::start(|_, _| answer("202 Accepted", "", "a\n1\n"));
    fetch(&server, "/a.csv").fails(4, "FetchFailed", &["202 Accepted", "it is not ready", "tried 3 times"]);
}

#[test]
fn an_answer_that_is_not_http_is_told_from_no_connection() {
    let server = Server::start(|path, _| {
        let text = match path {
            "/lengths.csv" => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\na\n1\n2",
            _ => "220 mail.example.com ESMTP\r\n",
        };
        Answer::Bytes(text.as_bytes().to_vec())
    });
    for (path, part) in
        [("/lengths.csv", "several lengths in Content-Length"), ("/mail.csv", "not an answer of HTTP")]
    {
        let ended = fetch(&server, path);
        ended.fails(4, "FetchFailed", &[part]);
        assert!(!ended.message().contains("no connection"), "{}", ended.message());
    }
}

#[test]
fn a_server_that_asks_for_credentials_is_answered_with_the_field_that_holds_them() {
    for status in ["401 Unauthorized", "403 Forbidden", "407 Proxy Authentication Required"] {
        let server = Server::start(move |_, _| answer(status, "", ""));
        fetch(&server, "/a.csv").fails(
            3,
            "FetchRefused",
            &[status, "name a Secret with the credentials in secret"],
        );
        let source = json!({"uri": server.url("/a.csv"), "credentials": "MLPIPELINE_SECRET_INPUT_t_"});
        let spec = prepare(json!([{"name": "t", "source": {"uri": source}}]), None);
        let token = [("MLPIPELINE_SECRET_INPUT_t_token", "hunter3")];
        let ended = Volume::new().step_with(&spec, &QUICK, &token);
        ended.fails(3, "FetchRefused", &[status, "correct the credentials in the Secret that secret names"]);
    }
}

#[test]
fn silence_ends_by_the_idle_timeout() {
    let begun = Instant::now();
    let server = Server::start(|path, _| match path {
        "/head.csv" => Answer::Hang(Vec::new()),
        _ => Answer::Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na,b\n".to_vec()),
    });
    fetch(&server, "/head.csv").fails(4, "FetchFailed", &["no answer in time"]);
    fetch(&server, "/body.csv").fails(4, "FetchFailed", &["broke off after 4 of 100 bytes"]);
    assert!(begun.elapsed().as_secs() < 60);
}

#[test]
fn a_truncated_body_is_no_body() {
    let server = Server::start(|_, _| {
        Answer::Bytes(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\na,b\n1,2\n".to_vec(),
        )
    });
    fetch(&server, "/a.csv").fails(4, "FetchFailed", &["broke off after 8 of 100 bytes", "tried 3 times"]);
}

#[test]
fn no_server_is_storage_that_is_unavailable() {
    let address = Server::start(|_, _| answer("200 OK", "", "")).address;
    // Bound and closed again: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = listener.local_addr().expect("an address");
    drop(listener);
    assert_ne!(free, address);
    let ended = Volume::new().step(&prepare(input(&format!("http://{free}/a.csv")), None), &QUICK);
    ended.fails(4, "FetchFailed", &["no connection", "tried 3 times"]);
}

#[test]
fn redirects_are_followed_but_not_in_circles_or_for_ever_or_elsewhere() {
    let server = Server::start(|path, _| {
        let to = |place: &str| answer("302 Found", &format!("Location: {place}\r\n"), "");
        match path {
            "/a.csv" => to("/b.csv"),
            "/b.csv" => answer("200 OK", "", "a\n1\n"),
            "/loop.csv" => to("/loop2.csv"),
            "/loop2.csv" => to("loop.csv"),
            "/file.csv" => to("file:///etc/passwd"),
            "/metadata.csv" => to("http://169.254.169.254/latest"),
            other => to(&format!("{other}x")),
        }
    });
    fetch(&server, "/a.csv").succeeds();
    fetch(&server, "/loop.csv").fails(3, "FetchRefused", &["circle"]);
    fetch(&server, "/many.csv").fails(3, "FetchRefused", &["more than 10 redirects"]);
    fetch(&server, "/file.csv").fails(3, "FetchRefused", &["not an http or https"]);
    fetch(&server, "/metadata.csv").fails(3, "FetchRefused", &["169.254.169.254", "link-local"]);
}

#[test]
fn the_machines_own_addresses_are_refused_unless_allowed_by_name_too() {
    let server = Server::start(|_, _| answer("200 OK", "", "a\n1\n"));
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1"] {
        let uri = format!("http://{host}:{port}/a.csv");
        let ended = Volume::new().step(&prepare(input(&uri), None), &["--fetch-attempts=1"]);
        ended.fails(3, "FetchRefused", &["--allow-address"]);
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn content_of_another_digest_is_refused_with_both_digests() {
    let server = Server::start(|_, _| answer("200 OK", "", "a\n1\n"));
    let right = Digest::of(b"a\n1\n");
    let wrong = Digest::of(b"other");
    let with = |uri: &str, digest: &Digest| json!([{"name": "t", "source": {"uri": {"uri": uri, "sha256": digest}}}]);
    let volume = Volume::new();
    let ended = volume.step(&prepare(with(&server.url("/a.csv"), &wrong), None), &QUICK);
    ended.fails(3, "DataMalformed", &[right.as_str(), wrong.as_str()]);
    volume.step(&prepare(with(&server.url("/a.csv"), &right), None), &QUICK).succeeds();
    let volume = Volume::new();
    volume.put("a.csv", "a\n1\n");
    volume.step(&prepare(with("file:a.csv", &wrong), None), &[]).fails(3, "DataMalformed", &[right.as_str()]);
    volume.step(&prepare(with("file:a.csv", &right), None), &[]).succeeds();
}

#[test]
fn downloads_have_a_limit_announced_or_not() {
    let large = "x".repeat(2 << 20);
    let server = Server::start(move |path, _| match path {
        "/announced.csv" => answer("200 OK", "", &large),
        _ => {
            let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
            bytes.extend_from_slice(large.as_bytes());
            Answer::Bytes(bytes)
        }
    });
    for path in ["/announced.csv", "/endless.csv"] {
        fetch(&server, path).fails(3, "FetchRefused", &["--max-download"]);
    }
}

#[test]
fn credentials_in_a_url_are_used_and_never_shown() {
    let server = Server::start(|_, _| answer("401 Unauthorized", "", ""));
    let uri = format!("http://me:hunter2@{}/a.csv?key=hunter2", server.address);
    let ended = Volume::new().step(&prepare(input(&uri), None), &QUICK);
    ended.fails(3, "FetchRefused", &["401"]);
    assert!(!ended.message().contains("hunter2") && !ended.stderr.contains("hunter2"), "{ended:?}");
}

#[test]
fn credentials_of_a_secret_go_to_the_named_server_and_to_none_that_it_redirects_to() {
    let elsewhere = Server::start(|_, _| answer("200 OK", "", "a\n1\n"));
    let location = format!("Location: {}\r\n", elsewhere.url("/b.csv"));
    let server = Server::start(move |path, _| match path {
        "/away.csv" => answer("302 Found", &location, ""),
        "/here.csv" => answer("302 Found", "Location: /b.csv\r\n", ""),
        _ => answer("200 OK", "", "a\n1\n"),
    });
    let spec = |path: &str| {
        let source = json!({"uri": server.url(path), "credentials": "MLPIPELINE_SECRET_INPUT_t_"});
        prepare(json!([{"name": "t", "source": {"uri": source}}]), None)
    };
    let basic =
        [("MLPIPELINE_SECRET_INPUT_t_username", "me"), ("MLPIPELINE_SECRET_INPUT_t_password", "hunter2\n")];
    let token = [("MLPIPELINE_SECRET_INPUT_t_token", "hunter3")];
    Volume::new().step_with(&spec("/away.csv"), &QUICK, &basic).succeeds();
    Volume::new().step_with(&spec("/here.csv"), &QUICK, &token).succeeds();
    // Credentials of others are no business of this input's.
    let others =
        [("MLPIPELINE_SECRET_INPUT_u_token", "hunter4"), ("PGUSER", "me"), ("PGPASSWORD", "hunter5")];
    Volume::new().step_with(&spec("/b.csv"), &QUICK, &others).succeeds();
    let bearer = Some("Bearer hunter3".to_owned());
    let expected = [Some("Basic bWU6aHVudGVyMg==".to_owned()), bearer.clone(), bearer, None];
    assert_eq!(server.authorizations(), expected);
    assert_eq!(elsewhere.authorizations(), [None]);
}

#[test]
fn variables_that_name_a_proxy_are_not_followed() {
    let proxy = Server::start(|_, _| answer("200 OK", "", "a\nof the proxy\n"));
    let server = Server::start(|_, _| answer("200 OK", "", "a\nof the server\n"));
    let address = proxy.url("");
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let mut variables: Vec<(&str, &str)> = names.iter().map(|name| (*name, address.as_str())).collect();
    // No server is excepted.
    variables.extend([("NO_PROXY", ""), ("no_proxy", "")]);
    let volume = Volume::new();
    let mut spec = prepare(input(&server.url("/a.csv")), None);
    let ended = volume.step_with(&spec, &QUICK, &variables);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a\nof the server\n");
    // Nor by what delivers rows, or talks to a store.
    spec["revision"] = json!({"fixed": mlpipeline_crds::Revision::of(&["delivered"])});
    let receiver = Server::start(|_, _| answer("200 OK", "", ""));
    spec["action"]["prepare"]["delivery"] = json!({"uri": receiver.url("/rows")});
    volume.step_with(&spec, &QUICK, &variables).succeeds();
    assert_eq!(receiver.requests(), 1);
    let store = Server::start(|_, _| answer("403 Forbidden", "", ""));
    let endpoint = store.url("");
    variables.extend([
        ("MLPIPELINE_SECRET_INPUT_t_AWS_ACCESS_KEY_ID", "key"),
        ("MLPIPELINE_SECRET_INPUT_t_AWS_SECRET_ACCESS_KEY", "secret"),
        ("MLPIPELINE_SECRET_INPUT_t_AWS_ENDPOINT_URL", &endpoint),
    ]);
    let source = json!({"uri": "s3://bucket/a.csv", "credentials": "MLPIPELINE_SECRET_INPUT_t_"});
    let spec = prepare(json!([{"name": "t", "source": {"uri": source}}]), None);
    assert_eq!(Volume::new().step_with(&spec, &QUICK, &variables).code, 3);
    assert!(store.requests() > 0);
    assert_eq!(proxy.requests(), 0);
}

#[test]
fn other_schemes_and_broken_uris_are_refused_by_the_spec() {
    for uri in [
        "ftp://example.com/a.csv",
        "iris.csv",
        "s3://bucket/a.csv",
        "postgres://db",
        "http://[::1/a.csv",
        "",
        "http://",
    ] {
        let ended = Volume::new().step(&prepare(input(uri), None), &QUICK);
        assert_eq!(ended.code, 2, "{uri}: {ended:?}");
    }
}

/// A body as gzip writes it.
fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("a Vec");
    encoder.finish().expect("a Vec")
}

#[test]
fn an_encoding_that_nobody_asked_for_is_decoded_and_another_one_is_refused() {
    let server = Server::start(|path, _| match path {
        "/plain.csv" => answer("200 OK", "Content-Encoding: gzip\r\n", gzip("a\n1\n")),
        "/twice.csv.gz" => {
            let file = gzip("a\n1\n");
            let mut outer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            std::io::Write::write_all(&mut outer, &file).expect("a Vec");
            answer("200 OK", "Content-Encoding: x-gzip\r\n", outer.finish().expect("a Vec"))
        }
        _ => answer("200 OK", "Content-Encoding: br\r\n", "a\n1\n"),
    });
    for path in ["/plain.csv", "/twice.csv.gz"] {
        let volume = Volume::new();
        let ended = volume.step(&prepare(input(&server.url(path)), None), &QUICK);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a\n1\n", "{path}");
    }
    fetch(&server, "/other.csv").fails(3, "FetchRefused", &["\"br\"", "gzip and zstd are decoded"]);
}

#[test]
fn zeros_behind_a_compressed_file_are_padding_and_anything_else_is_an_error() {
    let (padded, more) = (Volume::new(), Volume::new());
    padded.put("padded.csv.gz", [gzip("a\n1\n"), vec![0; 512]].concat());
    more.put("more.csv.gz", [gzip("a\n1\n"), b"more".to_vec()].concat());
    let ended = padded.step(&prepare(input("file:padded.csv.gz"), None), &[]);
    assert_eq!(padded.data(ended.succeeds(), "data.csv"), "a\n1\n");
    let ended = more.step(&prepare(input("file:more.csv.gz"), None), &[]);
    ended.fails(3, "DataMalformed", &["more.csv.gz", "behind the compressed data"]);
}

#[test]
fn a_length_beside_chunks_is_refused() {
    let server = Server::start(|_, _| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
        Answer::Bytes(format!("{head}6\r\na\n1\n2\n\r\n0\r\n\r\n").into_bytes())
    });
    let ended = fetch(&server, "/a.csv");
    assert_ne!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_page_is_not_a_table() {
    for (path, page) in [
        ("/a.csv", "<!DOCTYPE html>\n<html><body>Log in</body></html>\n"),
        ("/a.csv", "<html>\n<head></head>\n"),
        ("/a.ndjson", "  <html></html>"),
    ] {
        let server = Server::start(move |_, _| answer("200 OK", "Content-Type: text/html\r\n", page));
        fetch(&server, path).fails(3, "DataMalformed", &["it is an HTML or XML page"]);
    }
    // Nor is what a server calls a page, however plain it is.
    for (path, page) in [("/a.csv", "Please log in\n"), ("/a.csv", "a,b\n1,2\n"), ("/a.ndjson", "")] {
        let server =
            Server::start(move |_, _| answer("200 OK", "Content-Type: Text/HTML; charset=utf-8\r\n", page));
        fetch(&server, path).fails(3, "DataMalformed", &["it is an HTML or XML page", "name its format"]);
    }
    // Unless somebody says that it is a table, and it has rows.
    let server = Server::start(|path, _| {
        let page = if path == "/rows" { "a,b\n1,2\n" } else { "Please log in\n" };
        answer("200 OK", "Content-Type: text/html\r\n", page)
    });
    let named = |path| json!([{"name": "t", "source": {"uri": {"uri": server.url(path), "format": "csv"}}}]);
    Volume::new().step(&prepare(named("/rows"), None), &QUICK).succeeds();
    let ended = Volume::new().step(&prepare(named("/page"), None), &QUICK);
    ended.fails(3, "DataMalformed", &["it has no rows", "text/html"]);
}
