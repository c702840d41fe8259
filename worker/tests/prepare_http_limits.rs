//! Fetching within limits of time, bytes and room on scratch, from servers that break off, send parts, or send too much.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use support::{Answer, Ended, Server, Volume, answer, input, prepare};

const QUICK: [&str; 5] = [
    "--allow-address=127.0.0.0/8",
    "--fetch-attempts=4",
    "--fetch-backoff=1ms",
    "--idle-timeout=300ms",
    "--max-download=1MiB",
];

fn fetch(volume: &Volume, server: &Server, path: &str, more: &[&str]) -> Ended {
    volume.step(&prepare(input(&server.url(path)), None), &[&QUICK, more].concat())
}

/// An answer that announces more than it sends.
fn cut_short(headers: &str, length: usize, body: &str) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    Answer::Bytes((head + body).into_bytes())
}

#[test]
fn a_download_that_breaks_off_continues_where_it_was_if_the_content_is_the_same() {
    let server = Server::start(|_, number| match number {
        1 => cut_short("ETag: \"one\"\r\n", 10, "a,b\n1,"),
        2 => answer("206 Partial Content", "ETag: \"one\"\r\nContent-Range: bytes 6-9/10\r\n", "2\n3,"),
        _ => answer("500 Internal Server Error", "", ""),
    });
    let volume = Volume::new();
    let ended = fetch(&volume, &server, "/a.csv", &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,2\n3,\n");
    assert_eq!(server.headers("range"), [None, Some("bytes=6-".to_owned())]);
    assert_eq!(server.headers("if-range"), [None, Some("\"one\"".to_owned())]);

    // A part may end before the content does, and what was announced first still holds.
    let server = Server::start(|_, number| match number {
        1 => cut_short("ETag: \"one\"\r\n", 10, "a,b\n1,"),
        2 => answer("206 Partial Content", "ETag: \"one\"\r\nContent-Range: bytes 6-7/10\r\n", "2\n"),
        3 => answer("206 Partial Content", "ETag: \"one\"\r\nContent-Range: bytes 8-9/10\r\n", "3,"),
        _ => answer("500 Internal Server Error", "", ""),
    });
    let volume = Volume::new();
    let ended = fetch(&volume, &server, "/a.csv", &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,2\n3,\n");

    // The content has changed meanwhile: the server answers with all of it.
    let server = Server::start(|_, number| match number {
        1 => cut_short("ETag: \"one\"\r\n", 100, "a,b\n1,"),
        _ => answer("200 OK", "ETag: \"two\"\r\n", "c\n3\n"),
    });
    let volume = Volume::new();
    let ended = fetch(&volume, &server, "/a.csv", &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "c\n3\n");
    assert_eq!(server.requests(), 2);
}

#[test]
fn a_part_that_does_not_follow_on_what_came_is_not_put_behind_it() {
    for range in ["bytes 4-9/10", "bytes 6-9/11", "bytes 0-3/4", "6-9/10", ""] {
        let server = Server::start(move |_, number| match number {
            1 => cut_short("ETag: \"one\"\r\n", 10, "a,b\n1,"),
            2 => answer(
                "206 Partial Content",
                &format!("ETag: \"one\"\r\nContent-Range: {range}\r\n"),
                "9,9\n",
            ),
            _ => answer("200 OK", "", "a,b\n1,2\n"),
        });
        let volume = Volume::new();
        let ended = fetch(&volume, &server, "/a.csv", &[]);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,2\n", "{range}");
        assert_eq!(server.headers("range"), [None, Some("bytes=6-".to_owned()), None], "{range}");
    }
    // Where nobody asked for a part, there is none to put it behind.
    let server =
        Server::start(|_, _| answer("206 Partial Content", "Content-Range: bytes 0-3/9\r\n", "a\n1\n"));
    fetch(&Volume::new(), &server, "/a.csv", &[]).fails(3, "FetchRefused", &["which was not asked for"]);
}

#[test]
fn a_part_of_a_content_that_is_not_shown_to_be_the_same_begins_the_download_anew() {
    const MONDAY: &str = "Last-Modified: Mon, 05 Jan 2026 00:00:00 GMT\r\n";
    const TUESDAY: &str = "Last-Modified: Tue, 06 Jan 2026 00:00:00 GMT\r\n";
    // The server ignores the condition that the part was asked for with.
    for (first, second) in [
        ("ETag: \"one\"\r\n".to_owned(), "ETag: \"two\"\r\n".to_owned()),
        ("ETag: \"one\"\r\n".to_owned(), "ETag: W/\"one\"\r\n".to_owned()),
        ("ETag: \"one\"\r\n".to_owned(), String::new()),
        (format!("ETag: \"one\"\r\n{MONDAY}"), MONDAY.to_owned()),
        (format!("ETag: \"one\"\r\n{MONDAY}"), format!("ETag: \"one\"\r\n{TUESDAY}")),
    ] {
        let second_answer = second.clone();
        let server = Server::start(move |_, number| match number {
            1 => cut_short(&first, 10, "a,b\n1,"),
            2 => answer(
                "206 Partial Content",
                &format!("{second_answer}Content-Range: bytes 6-9/10\r\n"),
                "9\n9,",
            ),
            _ => answer("200 OK", "", "a,b\n7,8\n"),
        });
        let volume = Volume::new();
        let ended = fetch(&volume, &server, "/a.csv", &[]);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n7,8\n", "{second}");
        assert_eq!(server.headers("range"), [None, Some("bytes=6-".to_owned()), None], "{second}");
    }
    // What has no strong tag is never asked for in parts.
    for first in ["ETag: W/\"one\"\r\n", MONDAY, ""] {
        let server = Server::start(move |_, number| match number {
            1 => cut_short(first, 10, "a,b\n1,"),
            _ => answer("200 OK", "", "a,b\n7,8\n"),
        });
        let volume = Volume::new();
        let ended = fetch(&volume, &server, "/a.csv", &[]);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n7,8\n", "{first}");
        assert_eq!(server.headers("range"), [None, None], "{first}");
    }
}

#[test]
fn behind_a_redirect_a_download_continues_at_the_same_place_or_begins_anew() {
    let to = |place: &str| answer("302 Found", &format!("Location: {place}\r\n"), "");
    // Tags distinguish contents of one place: two places may both call theirs the first.
    let server = Server::start(move |path, number| match (path, number) {
        ("/a.csv", 1) => to("/monday.csv"),
        ("/a.csv", _) => to("/tuesday.csv"),
        ("/monday.csv", 2) => cut_short("ETag: \"one\"\r\n", 10, "a,b\n1,"),
        ("/monday.csv", 3) => {
            answer("206 Partial Content", "ETag: \"one\"\r\nContent-Range: bytes 6-9/10\r\n", "2\n3,")
        }
        _ => answer("206 Partial Content", "ETag: \"one\"\r\nContent-Range: bytes 6-9/10\r\n", "9\n9,"),
    });
    let volume = Volume::new();
    let ended = fetch(&volume, &server, "/a.csv", &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,2\n3,\n");

    for gone in ["403 Forbidden", "404 Not Found", "410 Gone", "302 Found\r\nLocation: /tuesday.csv"] {
        let server = Server::start(move |path, number| match (path, number) {
            ("/a.csv", 1) => to("/monday.csv"),
            ("/a.csv", _) => to("/tuesday.csv"),
            ("/monday.csv", 2) => cut_short("ETag: \"one\"\r\n", 10, "a,b\n1,"),
            ("/monday.csv", _) => answer(gone, "", ""),
            _ => answer("200 OK", "ETag: \"one\"\r\n", "a,b\n7,8\n"),
        });
        let volume = Volume::new();
        let ended = fetch(&volume, &server, "/a.csv", &[]);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n7,8\n", "{gone}");
        let parts = [None, None, Some("bytes=6-".to_owned()), None, None];
        assert_eq!(server.headers("range"), parts, "{gone}");
    }
}

#[test]
fn broken_downloads_leave_nothing_on_scratch() {
    let scratch = tempfile::tempdir().expect("a folder");
    let path = scratch.path().to_owned();
    let server = Server::start(move |_, number| {
        // What an earlier attempt brought is in the one file, or gone.
        assert_eq!(downloads(&path).len(), 1, "attempt {number}");
        cut_short("", 100, "a,b\n1,")
    });
    let argument = format!("--scratch={}", scratch.path().display());
    fetch(&Volume::new(), &server, "/a.csv", &[&argument]).fails(4, "FetchFailed", &["tried 4 times"]);
    assert_eq!(server.requests(), 4);
    assert!(downloads(scratch.path()).is_empty());
}

/// The files below a folder.
fn downloads(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(downloads(&path)) } else { found.push(path) }
    }
    found.retain(|path| path.to_string_lossy().contains("download-"));
    found
}

#[test]
fn all_attempts_together_have_an_end() {
    for pause in ["60", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let wait = format!("Retry-After: {pause}\r\n");
        let server = Server::start(move |_, _| answer("503 Service Unavailable", &wait, ""));
        fetch(&Volume::new(), &server, "/a.csv", &["--fetch-timeout=300ms"]).fails(
            4,
            "FetchFailed",
            &["did not complete within 300ms", "--fetch-timeout"],
        );
        assert_eq!(server.requests(), 1, "{pause}");
    }
}

/// An answer that says nothing of its length, and ends with its connection.
fn without_length(headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n");
    Answer::Bytes([head.as_bytes(), body.as_ref()].concat())
}

#[test]
fn a_body_without_a_length_that_turns_out_to_be_cut_short_is_worth_another_attempt() {
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, b"a,b\n1,2\n3,4\n").expect("a Vec");
        encoder.finish().expect("a Vec")
    };
    let zstd = zstd::encode_all(&b"a,b\n1,2\n3,4\n"[..], 1).expect("compressed");
    let whole: [(&str, &str, Vec<u8>); 7] = [
        ("/a.csv", "", b"a,b\n1,2\n3,4\n".to_vec()),
        // A file may have no line end behind its last row.
        ("/b.csv", "", b"a,b\n1,2\n3,4".to_vec()),
        ("/a.ndjson", "", b"{\"a\":1}\n{\"a\":2}\n".to_vec()),
        ("/a.csv.gz", "", gzip.clone()),
        ("/a.csv.zst", "", zstd.clone()),
        ("/c.csv", "Content-Encoding: gzip\r\n", gzip.clone()),
        ("/d.csv", "Content-Encoding: zstd\r\n", zstd.clone()),
    ];
    for (path, headers, body) in whole {
        let server = Server::start(move |_, _| without_length(headers, &body));
        let ended = fetch(&Volume::new(), &server, path, &["--log-format=json"]);
        ended.succeeds();
        assert!(ended.stderr.contains("the server says neither how long the body is"), "{path}: {ended:?}");
    }
    let cut = |bytes: &[u8], by: usize| bytes[..bytes.len() - by].to_vec();
    for (path, headers, body) in [
        ("/a.csv", "", b"a,b\n1,2\n3".to_vec()),
        ("/b.csv", "", b"a,b\n1,2\n3,\"4".to_vec()),
        ("/a.ndjson", "", b"{\"a\":1}\n{\"a\":".to_vec()),
        ("/a.parquet", "", b"PAR1\x15\x04\x15\x10\x15\x14\x4c\x15\x02\x15\x00\x12".to_vec()),
        ("/a.csv.gz", "", cut(&gzip, 9)),
        ("/a.csv.zst", "", cut(&zstd, 6)),
        ("/c.csv", "Content-Encoding: gzip\r\n", cut(&gzip, 9)),
        ("/d.csv", "Content-Encoding: zstd\r\n", cut(&zstd, 6)),
    ] {
        let length = format!("Content-Length: {}\r\n{headers}", body.len());
        let announced = body.clone();
        let server = Server::start(move |_, _| without_length(headers, &body));
        let ended = fetch(&Volume::new(), &server, path, &[]);
        ended.fails(4, "FetchFailed", &[path, "was cut short on its way"]);
        // With a length that is right, it is the file that is wrong.
        let server = Server::start(move |_, _| without_length(&length, &announced));
        fetch(&Volume::new(), &server, path, &[]).fails(3, "DataMalformed", &[path]);
    }
}

#[test]
fn chunks_that_end_with_the_last_one_are_whole_and_others_are_fetched_again() {
    let server = Server::start(|_, number| {
        let end = if number == 1 { "" } else { "0\r\n\r\n" };
        without_length("Transfer-Encoding: chunked\r\n", format!("8\r\na,b\n1,2\n\r\n{end}"))
    });
    let volume = Volume::new();
    let ended = fetch(&volume, &server, "/a.csv", &["--log-format=json"]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,2\n");
    assert_eq!(server.requests(), 2);
    assert!(!ended.stderr.contains("says neither"), "{ended:?}");
}

#[test]
fn a_file_that_is_made_to_fill_a_disk_is_refused() {
    let zeros = vec![b'0'; 65 << 20];
    let bomb = zstd::encode_all(zeros.as_slice(), 1).expect("compressed");
    assert!(bomb.len() < 1 << 20);
    let server = Server::start(move |_, _| answer("200 OK", "", &bomb));
    let volume = Volume::new();
    let spec = prepare(input(&server.url("/a.csv")), None);
    let ended = volume.step(&spec, &["--allow-address=127.0.0.0/8"]);
    ended.fails(3, "DataMalformed", &["more than 2000 times its size"]);
}
