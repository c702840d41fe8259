//! Delivery: what a receiver gets, what it may do wrong, and what is published when.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use receiver::Receiver;
use serde_json::{Value, json};
use support::at_work::{Worker, wait_until};
use support::{Ended, Volume, input, prepare};

const QUICK: [&str; 6] = [
    "--allow-address=127.0.0.0/8",
    "--fetch-attempts=3",
    "--fetch-backoff=1ms",
    "--idle-timeout=2s",
    "--connect-timeout=2s",
    "--log-format=json",
];

fn delivering(url: &str, rows_per_request: Option<u32>) -> Value {
    let mut spec = prepare(input("file:a.csv"), None);
    spec["action"]["prepare"]["delivery"] = json!({"uri": url});
    if let Some(rows) = rows_per_request {
        spec["action"]["prepare"]["delivery"]["rowsPerRequest"] = rows.into();
    }
    spec
}

fn deliver(volume: &Volume, url: &str, rows_per_request: Option<u32>) -> Ended {
    volume.step(&delivering(url, rows_per_request), &QUICK)
}

fn volume(rows: usize) -> Volume {
    let volume = Volume::new();
    let lines: String = (1..=rows).map(|row| format!("{row},\"text\n{row}\",\n")).collect();
    volume.put("a.csv", format!("id,text,none\n{lines}"));
    volume
}

/// The bytes of the answer to the request of a number, from 1 on, and whether the connection is held open behind them.
type Answering = fn(usize) -> (&'static str, bool);

#[test]
fn each_row_is_one_object_with_a_key_of_its_own_and_connections_change() {
    let receiver = Receiver::start();
    let volume = volume(40);
    let ended = deliver(&volume, &receiver.url(), None);
    assert_eq!(ended.succeeds().report.rows, Some(40));
    let posts = receiver.posts();
    assert_eq!(posts.len(), 40);
    assert_eq!(posts[1].body, "{\"id\":2,\"text\":\"text\\n2\",\"none\":null}");
    let keys: BTreeSet<&str> = posts.iter().map(|post| post.key.as_str()).collect();
    assert_eq!(keys.len(), 40);
    let connections: Vec<usize> = posts.iter().map(|post| post.connection).collect();
    // A new one when the client is quicker than its own pool is no harm; an old one that runs without end would be.
    assert!(connections[15] != connections[16] && connections[31] != connections[32], "{connections:?}");
    assert!(connections.iter().collect::<BTreeSet<_>>().len() < 20, "{connections:?}");
    assert!(
        ended.stderr.contains("\"status\":200,\"answer\":\"{\\\"response\\\":\\\"ok\\\"}\""),
        "{}",
        ended.stderr
    );
    // What is published was delivered.
    deliver(&volume, &receiver.url(), None).succeeds();
    assert_eq!(receiver.posts().len(), 40);
}

#[test]
fn a_receiver_that_closes_without_a_word_gets_each_row_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let came = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&came);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = std::io::BufReader::new(stream.try_clone().expect("a connection"));
            let (mut line, mut length) = (String::new(), 0);
            while std::io::BufRead::read_line(&mut reader, &mut line).is_ok_and(|read| read > 2) {
                let value = line.to_ascii_lowercase();
                if let Some(value) = value.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if length > 0 && std::io::Read::read_exact(&mut reader, &mut body).is_ok() {
                kept.lock().expect("bodies").push(String::from_utf8(body).expect("text"));
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                std::io::Write::write_all(&mut stream, answer).expect("answered");
            }
        }
    });
    assert_eq!(deliver(&volume(40), &format!("http://{address}/"), None).succeeds().report.rows, Some(40));
    let ids: Vec<i64> = came
        .lock()
        .expect("bodies")
        .iter()
        .map(|body| serde_json::from_str::<Value>(body).expect("an object")["id"].as_i64().expect("an id"))
        .collect();
    assert_eq!(ids, (1..=40).collect::<Vec<_>>());
}

#[test]
fn several_requests_at_a_time_deliver_each_row_once_and_a_failure_publishes_nothing() {
    // The receiver answers none before it has as many as may be under way.
    let together = Arc::new(Barrier::new(4));
    let receiver = {
        let together = Arc::clone(&together);
        Receiver::answering(move |_, _| {
            together.wait();
            ("200 OK".into(), String::new())
        })
    };
    let mut spec = delivering(&receiver.url(), None);
    spec["version"] = 3.into();
    spec["action"]["prepare"]["delivery"]["concurrentRequests"] = 4.into();
    let volume = volume(40);
    assert_eq!(volume.step(&spec, &QUICK).succeeds().report.rows, Some(40));
    let ids: BTreeSet<i64> = receiver
        .bodies()
        .iter()
        .map(|body| serde_json::from_str::<Value>(body).expect("an object")["id"].as_i64().expect("an id"))
        .collect();
    assert_eq!((receiver.posts().len(), ids), (40, (1..=40).collect()));

    let refusing = Receiver::answering(|_, post| {
        let status = if post.body.contains("\"id\":7,") { "400 Bad Request" } else { "200 OK" };
        (status.into(), String::new())
    });
    spec["revision"]["fixed"] = "bbbbbbbbbbbb".into();
    spec["action"]["prepare"]["delivery"]["uri"] = refusing.url().into();
    let ended = volume.step(&spec, &QUICK);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("row 7 of"), "{}", ended.stderr);
}

#[test]
fn what_json_cannot_hold_is_refused_with_advice_that_http_can_follow() {
    let receiver = Receiver::start();
    let volume = Volume::new();
    for (sql, code, parts) in [
        (
            "SELECT CAST('NaN' AS DOUBLE) AS x",
            3,
            &["column \"x\", row 1: NaN cannot be written", "CASE WHEN"][..],
        ),
        (
            "SELECT map([1], ['a']) AS x",
            2,
            &["column \"x\" holds a map whose keys are Int64", "map_keys(\"x\")"],
        ),
    ] {
        for format in ["parquet", "ndjson"] {
            let mut spec = prepare(json!([]), Some(sql));
            spec["action"]["prepare"]["format"] = json!(format);
            spec["action"]["prepare"]["delivery"] = json!({"uri": receiver.url()});
            let ended = volume.step(&spec, &QUICK);
            assert_eq!(ended.code, code, "{sql} as {format}: {ended:#?}");
            for part in parts {
                assert!(ended.message().contains(part), "{sql} as {format}: {}", ended.message());
            }
            let is_other_format = ended.message().contains("or write");
            assert_eq!(is_other_format, format == "ndjson", "{}", ended.message());
        }
    }
    assert_eq!(receiver.posts().len(), 0);
}

#[test]
fn several_rows_are_an_array() {
    let receiver = Receiver::start();
    deliver(&volume(5), &receiver.url(), Some(2)).succeeds();
    let sizes: Vec<usize> = receiver
        .bodies()
        .iter()
        .map(|body| serde_json::from_str::<Vec<Value>>(body).expect("an array").len())
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn a_result_without_rows_is_published_and_nothing_is_sent() {
    let receiver = Receiver::start();
    for rows_per_request in [None, Some(10)] {
        deliver(&volume(0), &receiver.url(), rows_per_request).succeeds();
    }
    assert_eq!(receiver.posts().len(), 0);
}

#[test]
fn an_answer_that_may_change_is_asked_for_again_with_the_same_key() {
    let receiver = Receiver::answering(|number, _| match number {
        2 => ("503 Service Unavailable\r\nRetry-After: 0".into(), "busy".into()),
        3 => ("429 Too Many Requests".into(), String::new()),
        _ => ("201 Created".into(), String::new()),
    });
    deliver(&volume(3), &receiver.url(), None).succeeds();
    let keys: Vec<String> = receiver.posts().into_iter().map(|post| post.key).collect();
    assert_eq!(keys.len(), 5);
    assert!(keys[1] == keys[2] && keys[2] == keys[3] && keys[3] != keys[4]);
}

#[test]
fn nothing_is_published_when_the_receiver_refuses_or_does_not_answer() {
    let rows = [
        ("400 Bad Request", 3, "DeliveryRefused", "row 2 of data.csv", "no such column", 2),
        ("302 Found\r\nLocation: /other", 3, "EndpointRefused", "row 2 of data.csv", "name the address", 2),
        ("409 Conflict", 3, "DeliveryRefused", "row 2 of data.csv", "no such column", 2),
        ("401 Unauthorized", 3, "EndpointRefused", "row 2 of data.csv", "output.secret", 2),
        ("403 Forbidden", 3, "EndpointRefused", "row 2 of data.csv", "output.secret", 2),
        ("404 Not Found", 3, "EndpointRefused", "row 2 of data.csv", "output.uri", 2),
        ("405 Method Not Allowed", 3, "EndpointRefused", "row 2 of data.csv", "output.uri", 2),
        ("500 Internal Server Error", 4, "ReceiverUnavailable", "row 2 of data.csv", "tried 3 times", 4),
    ];
    for (status, code, reason, row, problem, requests) in rows {
        let receiver = Receiver::answering(move |number, _| match number {
            1 => ("200 OK".into(), String::new()),
            _ => (status.into(), "no such column\nsecond line".into()),
        });
        let volume = volume(3);
        let ended = deliver(&volume, &format!("{}?token=hunter2", receiver.url()), None);
        ended.fails(code, reason, &[row, problem, "/rows?…"]);
        assert!(!ended.message().contains("second line") && !ended.stderr.contains("hunter2"), "{ended:?}");
        assert_eq!(receiver.posts().len(), requests);
        assert!(volume.names().iter().all(|name| name.starts_with('.')), "{:?}", volume.names());
    }
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    deliver(&volume(1), &format!("http://{nobody}/"), None).fails(
        4,
        "ReceiverUnavailable",
        &["no connection"],
    );
}

/// A receiver that answers each request with these bytes, counted from 1, and then closes the connection, or holds it open. It gives the
/// keys of the requests.
fn answering_bytes(answer: Answering) -> (String, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/rows", listener.local_addr().expect("an address"));
    let keys: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&keys);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut reader = std::io::BufReader::new(stream.try_clone().expect("a connection"));
            let (mut line, mut length, mut key) = (String::new(), 0, String::new());
            while std::io::BufRead::read_line(&mut reader, &mut line).is_ok_and(|read| read > 2) {
                let (name, value) = line.split_once(':').unwrap_or_default();
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().expect("a length"),
                    "idempotency-key" => key = value.trim().to_owned(),
                    _ => {}
                }
                line.clear();
            }
            std::io::Read::read_exact(&mut reader, &mut vec![0; length]).expect("a body");
            let number = {
                let mut kept = kept.lock().expect("keys");
                kept.push(key);
                kept.len()
            };
            let (bytes, holds) = answer(number);
            std::io::Write::write_all(&mut stream, bytes.as_bytes()).expect("answered");
            if holds {
                held.push(stream);
            }
        }
    });
    (url, keys)
}

#[test]
fn the_status_of_an_answer_counts_whatever_becomes_of_its_body() {
    let begun = std::time::Instant::now();
    let answers: [Answering; 4] = [
        |_| ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false),
        |_| ("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz", false),
        // Nothing says where it ends, and the connection stays open.
        |_| ("HTTP/1.1 200 OK\r\n\r\nhalf", true),
        |_| ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true),
    ];
    for answer in answers {
        let (url, keys) = answering_bytes(answer);
        let ended = deliver(&volume(2), &url, None);
        assert_eq!(ended.succeeds().report.rows, Some(2));
        assert!(ended.stderr.contains("\"answer\":\"half\""), "{}", ended.stderr);
        let keys = keys.lock().expect("keys");
        assert!(keys.len() == 2 && keys[0] != keys[1], "{keys:?}");
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let (url, keys) =
        answering_bytes(|_| ("HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\nhalf", false));
    deliver(&volume(2), &url, None).fails(3, "DeliveryRefused", &["row 1", "400 Bad Request: half"]);
    assert_eq!(keys.lock().expect("keys").len(), 1);
    let (url, keys) = answering_bytes(|number| match number {
        1 => ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nhalf", false),
        _ => ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
    });
    deliver(&volume(1), &url, None).succeeds();
    assert_eq!(keys.lock().expect("keys").len(), 2);
}

#[test]
fn a_conflict_is_waited_out_while_the_same_request_may_be_under_way() {
    const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const CONFLICT: &str = "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let answers: [Answering; 2] = [
        // The first answer is lost: the receiver is at work on the request when it comes again.
        |number| match number {
            1 => ("", false),
            2 => (CONFLICT, false),
            _ => (DONE, false),
        },
        |number| match number {
            1 => (
                "HTTP/1.1 409 Conflict\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                false,
            ),
            _ => (DONE, false),
        },
    ];
    for answer in answers {
        let (url, keys) = answering_bytes(answer);
        deliver(&volume(1), &url, None).succeeds();
        let keys = keys.lock().expect("keys");
        assert!(keys.len() > 1 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
    let (url, keys) = answering_bytes(|_| (CONFLICT, false));
    // The first request may be one that a process before sent; it is not tried without an end.
    deliver(&volume(1), &url, None).fails(3, "DeliveryRefused", &["409 Conflict"]);
    assert!(keys.lock().expect("keys").len() > 1);
    let (url, keys) = answering_bytes(|number| (if number == 1 { DONE } else { CONFLICT }, false));
    deliver(&volume(3), &url, None).fails(3, "DeliveryRefused", &["409 Conflict"]);
    assert_eq!(keys.lock().expect("keys").len(), 2);
}

#[test]
fn an_answer_that_is_not_http_is_told_from_no_connection() {
    let answers: [(Answering, &str); 3] = [
        (
            |_| ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", false),
            "several lengths in Content-Length",
        ),
        (|_| ("220 mail.example.com ESMTP\r\n", false), "not an answer of HTTP"),
        (|_| ("", false), "before the head of the answer had come"),
    ];
    for (answer, part) in answers {
        let (url, _) = answering_bytes(answer);
        let ended = deliver(&volume(1), &url, None);
        ended.fails(4, "ReceiverUnavailable", &[part, "tried 3 times"]);
        assert!(!ended.message().contains("no connection"), "{}", ended.message());
    }
}

#[test]
fn what_a_receiver_repeats_of_its_url_is_in_no_report_and_no_log() {
    let receiver = Receiver::answering(|number, post| match number {
        1 => ("200 OK".into(), format!("you asked for {}", post.path)),
        _ => ("422 Unprocessable Content".into(), "wrong key: Zq7Xv/9Kw, of hunt@er2, v2".into()),
    });
    let url = receiver.url().replace("http://", "http://me:hunt%40er2@");
    let ended = deliver(&volume(2), &format!("{url}?key=Zq7Xv%2F9Kw&v=v2"), None);
    ended.fails(3, "DeliveryRefused", &["wrong key: …, of …, v2"]);
    for part in ["Zq7Xv", "9Kw", "hunt"] {
        assert!(!ended.stderr.contains(part) && !ended.message().contains(part), "{part}: {ended:?}");
    }
}

/// The ids of the rows that came, in the order of the requests.
fn ids(receiver: &Receiver) -> Vec<i64> {
    let id = |body: &String| serde_json::from_str::<Value>(body).ok()?["id"].as_i64();
    receiver.bodies().iter().map(|body| id(body).expect("an id")).collect()
}

#[test]
fn the_attempt_after_a_failure_continues_after_the_rows_that_were_accepted() {
    let receiver = Receiver::answering(|number, _| match number {
        2..=4 => ("500 Internal Server Error".into(), String::new()),
        _ => ("200 OK".into(), String::new()),
    });
    let volume = volume(3);
    deliver(&volume, &receiver.url(), None).fails(4, "ReceiverUnavailable", &["row 2"]);
    assert_eq!(deliver(&volume, &receiver.url(), None).succeeds().report.rows, Some(3));
    assert_eq!(ids(&receiver), [1, 2, 2, 2, 2, 3]);
    let keys: BTreeSet<String> = receiver.posts().into_iter().map(|post| post.key).collect();
    assert_eq!(keys.len(), 3);
    assert!(volume.names().iter().all(|name| !name.starts_with('.')), "{:?}", volume.names());
}

#[test]
fn a_step_that_is_stopped_waits_for_the_answer_under_way_and_the_next_sends_the_rest() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let receiver = Receiver::answering(move |number, _| {
        if number == 1 {
            released.lock().expect("alone").recv().expect("the test");
        }
        ("200 OK".into(), String::new())
    });
    let volume = volume(3);
    let worker = Worker::start(&volume, &delivering(&receiver.url(), None));
    wait_until("the first row", || !receiver.posts().is_empty());
    worker.terminate();
    let log = volume.path().join("log");
    wait_until("the stop", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("waits for the receiver's answer"))
    });
    release.send(()).expect("the receiver");
    assert_eq!(worker.ended(), 1);
    assert_eq!(ids(&receiver), [1]);
    deliver(&volume, &receiver.url(), None).succeeds();
    assert_eq!(ids(&receiver), [1, 2, 3]);
}

#[test]
fn addresses_that_must_not_be_fetched_from_are_not_sent_to() {
    for url in ["http://127.0.0.1:1/", "http://localhost:1/", "http://169.254.169.254/latest"] {
        let ended = volume(1).step(&delivering(url, None), &["--fetch-backoff=1ms"]);
        ended.fails(3, "EndpointRefused", &["allow-address"]);
    }
    volume(1).step(&delivering("ftp://example.com/", None), &[]).fails(2, "UriInvalid", &["ftp"]);
}

#[test]
fn a_scheduled_run_that_brings_nothing_new_delivers_nothing_again() {
    let receiver = Receiver::start();
    let volume = volume(2);
    let mut spec = delivering(&receiver.url(), None);
    spec["revision"] = json!({"byContent": "0123456789ab"});
    volume.step(&spec, &QUICK).succeeds();
    volume.step(&spec, &QUICK).succeeds();
    assert_eq!(receiver.posts().len(), 2);
    volume.put("a.csv", "id\n1\n");
    volume.step(&spec, &QUICK).succeeds();
    assert_eq!(receiver.posts().len(), 3);
}

#[test]
fn credentials_of_a_secret_go_with_each_post_and_to_nobody_else() {
    let elsewhere = Receiver::start();
    let away = format!("307 Temporary Redirect\r\nLocation: {}", elsewhere.url());
    let receiver = Receiver::answering(move |number, _| match number {
        5 => (away.clone(), "not with hunter2-and-more".into()),
        _ => ("200 OK".into(), "{\"you\":\"hunter2-and-more\"}".into()),
    });
    let mut spec = delivering(&receiver.url(), None);
    spec["action"]["prepare"]["delivery"]["credentials"] = "MLPIPELINE_SECRET_OUTPUT_".into();
    let basic = [
        ("MLPIPELINE_SECRET_OUTPUT_username", "me"),
        ("MLPIPELINE_SECRET_OUTPUT_password", "hunter2-and-more\n"),
        ("MLPIPELINE_SECRET_INPUT_t_token", "hunter4"),
    ];
    let token = [("MLPIPELINE_SECRET_OUTPUT_token", "hunter2-and-more")];
    let first = volume(2).step_with(&spec, &QUICK, &basic);
    first.succeeds();
    let second = volume(2).step_with(&spec, &QUICK, &token);
    second.succeeds();
    let third = volume(2).step_with(&spec, &QUICK, &token);
    third.fails(3, "EndpointRefused", &["row 1 of data.csv", "not with …"]);
    // Nobody named these for this output.
    volume(1).step_with(&delivering(&receiver.url(), None), &QUICK, &token).succeeds();
    let sent: Vec<Option<String>> = receiver.posts().into_iter().map(|post| post.authorization).collect();
    let (basic, bearer) = ("Basic bWU6aHVudGVyMi1hbmQtbW9yZQ==", "Bearer hunter2-and-more");
    let expected = [Some(basic), Some(basic), Some(bearer), Some(bearer), Some(bearer), None];
    assert_eq!(sent.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    assert_eq!(elsewhere.posts().len(), 0);
    for ended in [first, second, third] {
        assert!(!ended.stderr.contains("hunter") && !ended.message().contains("hunter"), "{ended:?}");
    }
}
