//! Inputs of many objects, from a server that says how many are asked for at once. What a real server does is in tests/tests/stores.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod support;

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use receiver::Receiver;
use support::{Answer, Ended, Server, Volume, answer, input, prepare};

const OBJECTS: usize = 30;

/// How many are to be fetched at the same time.
const AT_ONCE: usize = 8;

fn listing() -> String {
    let objects: String = (0..OBJECTS)
        .map(|number| {
            format!(
                "<Contents><Key>in/{number:02}.csv</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;e&quot;</ETag><Size>5</Size></Contents>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>raw</Name><IsTruncated>false</IsTruncated>\
         <KeyCount>{OBJECTS}</KeyCount>{objects}</ListBucketResult>"
    )
}

/// Who is being answered now, and the most that there were.
#[derive(Default)]
struct Crowd {
    now: usize,
    most: usize,
}

#[test]
fn objects_are_fetched_eight_at_once_and_read_in_the_order_of_their_keys() {
    let crowd = Arc::new((Mutex::new(Crowd::default()), Condvar::new()));
    let answering = Arc::clone(&crowd);
    let server = Receiver::answering(move |_, post| {
        let head = "200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"e\"".to_owned();
        if post.path.contains("list-type=2") {
            return (head, listing());
        }
        let number: usize =
            post.path.get(8..10).and_then(|text| text.parse().ok()).expect("an object's number");
        let (counted, changed) = &*answering;
        let mut counted = counted.lock().expect("no test panics there");
        counted.now += 1;
        counted.most = counted.most.max(counted.now);
        changed.notify_all();
        // The first ones are answered only when as many are asked for as are to be at once.
        if number < AT_ONCE {
            let waited =
                changed.wait_timeout_while(counted, Duration::from_secs(60), |crowd| crowd.most < AT_ONCE);
            counted = waited.expect("no test panics there").0;
        }
        counted.now -= 1;
        (head, format!("a\n{number:02}\n"))
    });
    let volume = Volume::new();
    let endpoint = format!("http://{}", server.address);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let arguments = ["--allow-address=127.0.0.0/8", "--fetch-attempts=1"];
    let ended = volume.step_with(&prepare(input("s3://raw/in/*.csv"), None), &arguments, &variables);
    ended.succeeds();
    let expected: String = (0..OBJECTS).map(|number| format!("{number:02}\n")).collect();
    assert_eq!(volume.data(&ended, "data.csv"), format!("a\n{expected}"));
    assert_eq!(crowd.0.lock().expect("no test panics there").most, AT_ONCE);
}

#[test]
fn of_several_objects_that_fail_the_first_is_named() {
    let server = Receiver::answering(|_, post| {
        let head = "200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"e\"".to_owned();
        if post.path.contains("list-type=2") {
            (head, listing())
        } else if post.path.contains("/03.csv") || post.path.contains("/05.csv") {
            ("403 Forbidden".into(), "<Error><Code>AccessDenied</Code></Error>".into())
        } else {
            (head, "a\n1\n".into())
        }
    });
    let endpoint = format!("http://{}", server.address);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let arguments = ["--allow-address=127.0.0.0/8", "--fetch-attempts=1"];
    let ended = Volume::new().step_with(&prepare(input("s3://raw/in/*.csv"), None), &arguments, &variables);
    ended.fails(3, "StoreRefused", &["in/03.csv"]);
}

/// Fetches an object whose body breaks off after 6 of 10 bytes, and of which the rest is answered so.
fn fetch_rest(volume: &Volume, status: &'static str, headers: &'static str, rest: &'static str) -> Ended {
    const DATE: &str = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
    let server = Server::start(move |_, number| {
        if number > 1 {
            return answer(status, &format!("{DATE}{headers}"), rest);
        }
        let head = format!("Content-Length: 10\r\nConnection: close\r\nETag: \"e\"\r\n{DATE}");
        Answer::Bytes(format!("HTTP/1.1 200 OK\r\n{head}\r\na,b\n1,").into_bytes())
    });
    let endpoint = format!("http://{}", server.address);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let arguments = ["--allow-address=127.0.0.0/8", "--fetch-attempts=2", "--fetch-backoff=1ms"];
    volume.step_with(&prepare(input("s3://raw/in/a.csv"), None), &arguments, &variables)
}

#[test]
fn the_rest_of_an_object_is_taken_only_where_it_follows_on_what_came() {
    const PART: &str = "206 Partial Content";
    let volume = Volume::new();
    let ended = fetch_rest(&volume, PART, "ETag: \"e\"\r\nContent-Range: bytes 6-9/10\r\n", "2\n3,");
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,2\n3,\n");
    for (status, headers) in [
        (PART, "ETag: \"e\"\r\nContent-Range: bytes 5-8/10\r\n"),
        (PART, "ETag: \"e\"\r\nContent-Range: bytes 6-9/11\r\n"),
        (PART, "ETag: \"e\"\r\n"),
        (PART, "ETag: W/\"e\"\r\nContent-Range: bytes 6-9/10\r\n"),
        (PART, "Content-Range: bytes 6-9/10\r\n"),
        (PART, "ETag: \"f\"\r\nContent-Range: bytes 6-9/10\r\n"),
        ("200 OK", "ETag: \"e\"\r\n"),
    ] {
        let ended = fetch_rest(&Volume::new(), status, headers, "9\n9,");
        assert_eq!(ended.code, 4, "{headers}: {ended:#?}");
    }
}

/// Answers each request with an error that never comes to its end, a sign at a time.
fn dripping_store() -> (std::net::SocketAddr, std::sync::mpsc::Sender<()>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // Nothing is ever sent there: waiting for it is the pause between two signs.
    let (end, ended) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut length = 0;
            for line in reader.by_ref().lines().map_while(Result::ok) {
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = number.trim().parse().expect("a number");
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).expect("a client");
            while stream.write_all(b"1\r\nx\r\n").is_ok() {
                let waited = ended.recv_timeout(Duration::from_millis(50));
                if waited == Err(std::sync::mpsc::RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        }
    });
    (address, end)
}

#[test]
fn a_delivery_to_a_store_that_never_comes_to_its_end_is_given_up() {
    let (address, end) = dripping_store();
    let endpoint = format!("http://{address}");
    let variables = [
        ("MLPIPELINE_SECRET_OUTPUT_AWS_ACCESS_KEY_ID", "me"),
        ("MLPIPELINE_SECRET_OUTPUT_AWS_SECRET_ACCESS_KEY", "a-secret"),
        ("MLPIPELINE_SECRET_OUTPUT_AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    let mut spec = prepare(input("file:in.csv"), None);
    spec["action"]["prepare"]["delivery"] =
        serde_json::json!({"uri": "s3://bucket/o.csv", "credentials": "MLPIPELINE_SECRET_OUTPUT_"});
    let arguments =
        ["--allow-address=127.0.0.0/8", "--fetch-attempts=1", "--idle-timeout=5s", "--fetch-timeout=1s"];
    let start = std::time::Instant::now();
    let ended = volume.step_with(&spec, &arguments, &variables);
    assert_eq!(ended.code, 4, "{ended:?}");
    let message = ended.message();
    assert!(
        message.contains("s3://bucket/o.csv") && message.contains("did not complete within 1s"),
        "{message}"
    );
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    drop(end);
}
