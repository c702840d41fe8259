//! Over TLS: what is posted and what is fetched, only where the server's certificate is of an authority that is believed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use support::{Volume, input, prepare};

const QUICK: [&str; 6] = [
    "--allow-address=127.0.0.0/8",
    "--allow-address=::1",
    "--fetch-attempts=2",
    "--fetch-backoff=1ms",
    "--idle-timeout=5s",
    "--connect-timeout=5s",
];

/// A server that answers each request with a table, and keeps the bodies.
struct Secure {
    address: SocketAddr,
    /// Its certificate, in PEM, which is its own authority.
    pem: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Secure {
    fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]);
        let made = made.expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .expect("a configuration");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&bodies);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, kept) = (Arc::clone(&config), Arc::clone(&kept));
                std::thread::spawn(move || converse(stream, config, &kept));
            }
        });
        Self { address, pem: made.cert.pem(), bodies }
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("bodies").clone()
    }
}

/// Answers until the other side ends, which it also does where it does not believe the certificate.
fn converse(stream: TcpStream, config: Arc<ServerConfig>, kept: &Mutex<Vec<String>>) -> Option<()> {
    let connection = ServerConnection::new(config).expect("a connection");
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    loop {
        let (mut length, mut line) = (0, String::new());
        while stream.read_line(&mut line).ok()? > 0 && line != "\r\n" {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        if line.is_empty() {
            return None;
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        if length > 0 {
            kept.lock().expect("bodies").push(String::from_utf8(body).expect("text"));
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\na,b\n1,x\n";
        stream.get_mut().write_all(answer.as_bytes()).ok()?;
        stream.get_mut().flush().ok()?;
    }
}

fn posting(url: &str) -> Value {
    let mut spec = prepare(json!([]), Some("SELECT * FROM (VALUES (1), (2), (3)) AS t(a) ORDER BY a"));
    spec["action"]["prepare"]["delivery"] = json!({"uri": url, "credentials": "MLPIPELINE_SECRET_OUTPUT_"});
    spec
}

#[test]
fn rows_are_posted_to_a_server_whose_authority_is_in_the_secret_by_name_and_by_address() {
    let server = Secure::start();
    let ca = [("MLPIPELINE_SECRET_OUTPUT_ca.crt", server.pem.as_str())];
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{}/rows", server.address.port());
        Volume::new().step_with(&posting(&url), &QUICK, &ca).succeeds();
    }
    let rows = ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"];
    assert_eq!(server.bodies(), [rows, rows].concat());
}

#[test]
fn nothing_is_posted_to_a_server_that_nobody_vouches_for() {
    let (server, other) = (Secure::start(), Secure::start());
    let url = format!("https://{}/rows", server.address);
    let others = [("MLPIPELINE_SECRET_OUTPUT_ca.crt", other.pem.as_str())];
    let broken = [("MLPIPELINE_SECRET_OUTPUT_ca.crt", "no certificate")];
    let volume = Volume::new();
    volume.step_with(&posting(&url), &QUICK, &[]).fails(4, "ReceiverUnavailable", &["certificate"]);
    volume.step_with(&posting(&url), &QUICK, &others).fails(4, "ReceiverUnavailable", &["certificate"]);
    volume.step_with(&posting(&url), &QUICK, &broken).fails(
        2,
        "UriInvalid",
        &["ca.crt holds no certificate"],
    );
    // Speaking plainly to a port for TLS, or the other way round, is no answer.
    let plain = url.replace("https", "http");
    volume.step_with(&posting(&plain), &QUICK, &[]).fails(4, "ReceiverUnavailable", &["tried"]);
    assert_eq!(server.bodies(), [""; 0]);
}

#[test]
fn a_table_is_fetched_from_a_server_whose_authority_is_in_the_secret() {
    let server = Secure::start();
    let mut inputs = input(&format!("https://{}/a.csv", server.address));
    Volume::new().step(&prepare(inputs.clone(), None), &QUICK).fails(4, "FetchFailed", &["certificate"]);
    inputs[0]["source"]["uri"]["credentials"] = "MLPIPELINE_SECRET_INPUT_t_".into();
    let ca = [("MLPIPELINE_SECRET_INPUT_t_ca.crt", server.pem.as_str())];
    let volume = Volume::new();
    let ended = volume.step_with(&prepare(inputs, None), &QUICK, &ca);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b\n1,x\n");
}
