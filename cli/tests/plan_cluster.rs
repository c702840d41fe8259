//! `plan --cluster`: which namespace it reads, and how long it waits. What a real API server answers is tested in the crate tests.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use program::{Answer, Folder, pipeline};

const STEP: &str = "  - {name: data, prepare: {sql: SELECT 1}}\n";

/// A server that answers each list call with an empty list, and keeps the namespaces that were asked for.
struct EmptyCluster {
    folder: Folder,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl EmptyCluster {
    fn start() -> Self {
        let (listener, cluster) = Self::with_listener();
        let asked = Arc::clone(&cluster.asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, asked) = (stream.expect("a connection"), Arc::clone(&asked));
                std::thread::spawn(move || answer_lists(&stream, &asked));
            }
        });
        cluster
    }

    fn with_listener() -> (TcpListener, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let folder = Folder::new();
        let server = listener.local_addr().expect("an address");
        folder.write(
            "config",
            &format!(
                "apiVersion: v1
kind: Config
current-context: work
clusters: [{{name: c, cluster: {{server: 'http://{server}'}}}}]
users: [{{name: u, user: {{}}}}]
contexts:
  - {{name: work, context: {{cluster: c, user: u, namespace: team-a}}}}
  - {{name: other, context: {{cluster: c, user: u, namespace: team-b}}}}
  - {{name: bare, context: {{cluster: c, user: u}}}}
"
            ),
        );
        folder.write("p.yaml", &pipeline(STEP));
        folder.write("named.yaml", &pipeline(STEP).replace("{name: p}", "{name: p, namespace: named}"));
        (listener, Self { folder, asked: Arc::default() })
    }

    fn plan(&self, arguments: &[&str]) -> Answer {
        let mut command = self.folder.command(&["plan", "--cluster"]);
        command.args(arguments).env("KUBECONFIG", self.folder.path().join("config"));
        program::answer(command.output().expect("the program runs"))
    }

    /// The namespaces that were asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("a lock")).into_iter().collect()
    }
}

fn answer_lists(mut stream: &TcpStream, asked: &Mutex<BTreeSet<String>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(request)) = lines.next() {
        while lines.next().and_then(Result::ok).is_some_and(|header| !header.is_empty()) {}
        let namespace = request.split("/namespaces/").nth(1).and_then(|rest| rest.split('/').next());
        asked.lock().expect("a lock").insert(namespace.expect("a list in a namespace").to_owned());
        let body = r#"{"apiVersion":"v1","kind":"List","metadata":{},"items":[]}"#;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn the_namespace_is_that_of_the_manifest_then_of_the_option_then_of_the_context() {
    let cluster = EmptyCluster::start();
    let rows: [(&[&str], &str); 6] = [
        (&["p.yaml"], "team-a"),
        (&["p.yaml", "--context", "other"], "team-b"),
        (&["p.yaml", "--context", "bare"], "default"),
        (&["p.yaml", "--namespace", "team-c"], "team-c"),
        (&["p.yaml", "--context", "other", "-n", "team-c"], "team-c"),
        (&["named.yaml"], "named"),
    ];
    for (arguments, namespace) in rows {
        let answer = cluster.plan(&[arguments, &["-o", "json"]].concat());
        assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.stderr);
        assert_eq!(cluster.asked(), [namespace], "{arguments:?}");
        let printed: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!(printed["namespace"], namespace, "{arguments:?}");
    }
}

#[test]
fn an_option_that_contradicts_the_manifest_is_an_error_before_anything_is_asked() {
    let cluster = EmptyCluster::start();
    let answer = cluster.plan(&["named.yaml", "-n", "team-c"]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains(r#"is "named", and the command line says "team-c""#), "{}", answer.stderr);
    assert_eq!(cluster.asked(), [""; 0]);
}

#[test]
fn an_unknown_context_is_an_error_that_names_it() {
    let answer = EmptyCluster::start().plan(&["p.yaml", "--context", "nowhere"]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("nowhere"), "{}", answer.stderr);
}

#[test]
fn a_cluster_that_does_not_answer_is_given_up_after_the_timeout() {
    // Connections are taken by the system, and nobody answers them.
    let (_listener, cluster) = EmptyCluster::with_listener();
    let answer = cluster.plan(&["p.yaml", "--timeout", "1s"]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("within 1 s"), "{}", answer.stderr);
    for wrong in ["0s", "1", "soon"] {
        let answer = cluster.plan(&["p.yaml", "--timeout", wrong]);
        assert_eq!(answer.code, 2, "{wrong}");
        assert!(answer.stderr.contains("for example 30s or 1m30s"), "{}", answer.stderr);
    }
}
