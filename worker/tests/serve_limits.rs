//! Limits: size, time, connections and headers.

mod serving;

use std::time::{Duration, Instant};

use serving::models::iris;
use serving::{SETOSA, Server, head};

#[test]
fn ten_megabytes_are_refused_with_413_and_the_limit() {
    let server = Server::start(&iris(), &[], &[]);
    let answer = server.request("POST", "/predict", &[], &vec![b' '; 10_000_000]);
    assert_eq!(answer.code, 413);
    assert!(answer.error().contains("8388608 bytes"), "{answer:?}");
    assert_eq!(server.predict(SETOSA).code, 200);
}

#[test]
fn a_client_that_asks_first_need_not_send_ten_megabytes() {
    let server = Server::start(&iris(), &[], &[]);
    let mut connection = server.connect();
    connection.send(&head("POST", "/predict", &[("expect", "100-continue")], 10_000_000));
    assert_eq!(connection.read().code, 413);
    connection = server.connect();
    connection.send(&head("POST", "/predict", &[("expect", "100-continue")], SETOSA.len()));
    assert_eq!(connection.read_head().code, 100);
    connection.send(SETOSA);
    assert_eq!(connection.read().code, 200);
}

#[test]
fn a_body_of_unknown_length_is_refused_once_it_is_too_large() {
    let server = Server::start(&iris(), &["--max-body", "1000"], &[]);
    let mut connection = server.connect();
    connection.send("POST /predict HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..11 {
        connection.send(&format!("64\r\n{}\r\n", " ".repeat(100)));
    }
    connection.send("0\r\n\r\n");
    assert_eq!(connection.read().code, 413);
}

#[test]
fn a_chunked_body_within_the_limit_is_answered() {
    let server = Server::start(&iris(), &[], &[]);
    let mut connection = server.connect();
    connection.send("POST /predict HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    let (first, second) = SETOSA.split_at(20);
    for part in [first, second] {
        connection.send(&format!("{:x}\r\n{part}\r\n", part.len()));
    }
    connection.send("0\r\n\r\n");
    assert_eq!(connection.read().json()["species_name"], "setosa");
}

#[test]
fn a_head_that_never_ends_does_not_keep_its_connection() {
    let server = Server::start(&iris(), &["--head-timeout", "100ms"], &[]);
    let mut connection = server.connect();
    connection.send("POST /predict HTTP/1.1\r\nhost: te");
    assert!(connection.is_closed_silently());
}

#[test]
fn a_body_that_never_comes_is_given_up() {
    let server = Server::start(&iris(), &["--body-timeout", "100ms"], &[]);
    let mut connection = server.connect();
    connection.send(&head("POST", "/predict", &[], SETOSA.len()));
    connection.send("{\"sepal");
    let answer = connection.read();
    assert_eq!(answer.code, 408);
    assert!(connection.is_closed_silently());
}

#[test]
fn too_many_headers_are_refused() {
    let server = Server::start(&iris(), &[], &[]);
    let names: Vec<String> = (0..100).map(|index| format!("x-{index}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(server.request("GET", "/health", &many, b"").code, 431);
    assert_eq!(server.get("/health").code, 200);
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let server = Server::start(&iris(), &[], &[]);
    let mut connection = server.connect();
    // The server may refuse and close before all of it is sent.
    connection.send_if_taken(&head("GET", "/health", &[("x-long", &"x".repeat(200_000))], 0));
    let refused = connection.read_if_answered();
    assert!(refused.is_none_or(|answer| answer.starts_with("HTTP/1.1 431 ")));
    assert_eq!(server.get("/health").code, 200);
}

#[test]
fn connections_beyond_the_limit_wait_for_those_that_are_being_answered() {
    // Long enough that none of them is asked to give way, however slow the machine is.
    let server = Server::start(&iris(), &["--max-connections", "2", "--body-timeout", "30m"], &[]);
    let mut busy = [server.connect(), server.connect()];
    for connection in &mut busy {
        connection.send(&head("POST", "/predict", &[("expect", "100-continue")], SETOSA.len()));
        assert_eq!(connection.read_head().code, 100);
    }
    let mut third = server.connect();
    third.send(&head("GET", "/health", &[], 0));
    for connection in &mut busy {
        connection.send(SETOSA);
        assert_eq!(connection.read().code, 200);
    }
    drop(busy);
    assert_eq!(third.read().code, 200);
}

#[test]
fn silent_connections_keep_no_probe_waiting() {
    let server = Server::start(&iris(), &["--max-connections", "8"], &[]);
    let start = Instant::now();
    let mut silent: Vec<_> = (0..40).map(|_| server.connect()).collect();
    assert_eq!(server.get("/health").code, 200);
    // Those that wait for a whole head are given up after 75 s.
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(silent[0].is_closed_silently(), "the first one gave way");
}

/// Half of a request with a body.
fn half_a_body(server: &Server) -> serving::Connection {
    let mut connection = server.connect();
    connection.send(&head("POST", "/predict", &[], 1000));
    connection.send("{\"sepal");
    connection
}

#[test]
fn connections_that_send_half_a_body_give_way_to_others() {
    // Alone, a body may take 16 seconds; where others wait, a second.
    let server = Server::start(&iris(), &["--max-connections", "8", "--body-timeout", "16s"], &[]);
    let halves: Vec<_> = (0..8).map(|_| half_a_body(&server)).collect();
    let start = Instant::now();
    assert_eq!(server.predict(SETOSA).code, 200);
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    drop(halves);
}

#[test]
fn thousands_of_slow_connections_keep_no_probe_waiting() {
    // No connection gives way here: every one of them sends half a body, and may take half an hour.
    let arguments = ["--max-connections", "64", "--body-timeout", "8h", "--probe-listen", "127.0.0.1:0"];
    let mut server = Server::start(&iris(), &arguments, &[("LOG_LEVEL", "info")]);
    let probes = server.probe_address();
    let taken: Vec<_> = (0..64).map(|_| half_a_body(&server)).collect();
    // What the server does not take waits in the kernel's queue.
    let waiting: Vec<_> =
        (0..2000).map_while(|_| server.try_connect_within(Duration::from_millis(200)).ok()).collect();
    assert!(waiting.len() > 100, "{} wait", waiting.len());
    for path in ["/health", "/ready"] {
        for _ in 0..20 {
            let start = Instant::now();
            let mut probe = serving::connect(probes);
            probe.send(&head("GET", path, &[], 0));
            assert_eq!(probe.read().code, 200);
            // The kubelet gives up after two seconds.
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        }
    }
    drop((taken, waiting));
}

#[test]
fn slow_connections_to_the_port_for_probes_give_way_to_probes() {
    let mut server = Server::start(&iris(), &["--probe-listen", "127.0.0.1:0"], &[("LOG_LEVEL", "info")]);
    let probes = server.probe_address();
    let silent: Vec<_> = (0..300).map(|_| serving::connect(probes)).collect();
    let mut probe = serving::connect(probes);
    probe.send(&head("GET", "/ready", &[], 0));
    assert_eq!(probe.read().code, 200);
    drop(silent);
    let mut other = serving::connect(probes);
    other.send(&head("POST", "/predict", &[], 0));
    assert_eq!(other.read().code, 404, "nothing else is answered there");
}

#[test]
fn pages_that_need_a_key_are_not_served_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = serving::publish(folder.path(), &iris());
    let (code, said) = serving::run_to_end(&model, &["--docs-need-key"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("auth.apiKeySecret") && said.contains("MLPIPELINE_API_KEY"), "{said}");
    let variables = [("MLPIPELINE_SERVE_DOCS_NEED_KEY", "true"), ("MLPIPELINE_API_KEY", "a-key")];
    let server = Server::start(&iris(), &[], &variables);
    assert_eq!(server.get("/docs").code, 401);
}
