//! What the tests of the worker's binary share: running it, and a server that answers as a test says.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

pub mod answers;
pub mod at_work;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mlpipeline_crds::{Revision, StepReport};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The worker with these arguments, with nothing of this process's environment that it would read.
pub fn worker(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlpipeline-worker"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MLPIPELINE_") || name == "RUST_LOG" || name == "LOG_LEVEL" {
            command.env_remove(name);
        }
    }
    command
}

/// A storage folder, and steps done on it.
pub struct Volume {
    pub folder: TempDir,
}

/// How a step ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub report: StepReport,
    pub stderr: String,
}

impl Ended {
    pub fn message(&self) -> &str {
        self.report.message.as_deref().unwrap_or_default()
    }

    /// Asserts a failure: its exit code, its reason, and what its message must contain.
    #[track_caller]
    pub fn fails(&self, code: i32, reason: &str, parts: &[&str]) {
        assert_eq!((self.code, self.report.reason.as_deref()), (code, Some(reason)), "{self:#?}");
        for part in parts {
            assert!(self.message().contains(part), "no {part:?} in {:?}", self.message());
        }
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }
}

/// A file or folder of what earlier versions wrote.
pub fn recorded(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

impl Volume {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// A copy of a volume that an earlier worker left.
    pub fn recorded(name: &str) -> Self {
        let volume = Self::new();
        let from = recorded(&format!("storage/{name}"));
        let mut folders = vec![from.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let content = std::fs::read(&path).expect("a file");
                    volume.put(&path.strip_prefix(&from).expect("below").display().to_string(), content);
                }
            }
        }
        volume
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below the volume.
    pub fn put(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Does a step, with further arguments.
    pub fn step(&self, spec: &Value, arguments: &[&str]) -> Ended {
        self.step_with(spec, arguments, &[])
    }

    /// Does a step with variables in its environment.
    pub fn step_with(&self, spec: &Value, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let report = tempfile::NamedTempFile::new().expect("a report file");
        let storage = self.path().display().to_string();
        let report_path = report.path().display().to_string();
        let spec = spec.to_string();
        let mut all = vec!["step", "--storage", &storage, "--report", &report_path];
        all.extend_from_slice(arguments);
        all.push(&spec);
        let output = worker(&all).envs(variables.iter().copied()).output().expect("the worker runs");
        let text = std::fs::read_to_string(&report_path).expect("a report");
        Ended {
            code: output.status.code().expect("an exit code"),
            report: StepReport::from_json(&text)
                .unwrap_or_else(|error| panic!("{error}: {text:?} {output:?}")),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The folder of a step's revisions.
    pub fn step_folder(&self) -> PathBuf {
        self.path().join("ns/pipe/data")
    }

    /// The names in the step's folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.step_folder())
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The text of the dataset that a report speaks of.
    pub fn data(&self, ended: &Ended, name: &str) -> String {
        let revision = ended.report.revision.as_ref().expect("a revision");
        let path = self.step_folder().join(revision.as_str()).join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The table of a CSV file `TABLE.csv` on the volume, as the result of a step that wrote it in a format.
pub fn converted(volume: &Volume, table: &str, format: &str) -> Value {
    let source = json!({"uri": {"uri": format!("file:{table}.csv")}});
    let mut spec = prepare(json!([{"name": table, "source": source}]), None);
    let step = format!("{table}-{format}");
    spec["step"] = json!(step);
    spec["action"]["prepare"]["format"] = json!(format);
    let ended = volume.step(&spec, &[]);
    let revision = ended.succeeds().report.revision.clone().expect("a revision");
    json!({"name": table, "source": {"artifact": {"path": format!("ns/pipe/{step}/{revision}")}}})
}

/// A prepare step of fixed revision that writes CSV.
pub fn prepare(inputs: Value, sql: Option<&str>) -> Value {
    let mut action = json!({"inputs": inputs, "format": "csv"});
    if let Some(sql) = sql {
        action["sql"] = sql.into();
    }
    json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": "data",
        "revision": {"fixed": Revision::of(&["test"])},
        "action": {"prepare": action},
    })
}

/// An input called t.
pub fn input(uri: &str) -> Value {
    json!([{"name": "t", "source": {"uri": {"uri": uri}}}])
}

pub fn text(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// What a test's server does with a request.
pub enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes and then nothing, until the server is dropped.
    Hang(Vec<u8>),
}

/// The headers of a request.
type Asked = Vec<(String, String)>;

/// An HTTP server on loopback.
pub struct Server {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Answers each request by its path and number, counted from 1.
    pub fn start(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (requests, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stop) = (Arc::clone(&requests), Arc::clone(&stopped));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.expect("a connection");
                let Some((path, headers)) = request(&stream) else { continue };
                seen.lock().expect("no test panics there").push(headers);
                match answer(&path, count.fetch_add(1, Ordering::SeqCst) + 1) {
                    Answer::Bytes(bytes) => drop(stream.write_all(&bytes)),
                    Answer::Hang(bytes) => {
                        let _ = stream.write_all(&bytes);
                        hanging.push(stream);
                    }
                }
            }
        });
        Self { address, requests, asked, stopped }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Server {
    /// What each request had for an Authorization header.
    pub fn authorizations(&self) -> Vec<Option<String>> {
        self.headers("authorization")
    }

    /// What each request had for a header.
    pub fn headers(&self, name: &str) -> Vec<Option<String>> {
        let asked = self.asked.lock().expect("no test panics there");
        let value = |headers: &Asked| {
            let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        asked.iter().map(value).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread, so that it sees that it should stop.
        let _ = TcpStream::connect(self.address);
    }
}

/// A request's path and its Authorization header.
fn request(stream: &TcpStream) -> Option<(String, Asked)> {
    let mut lines = BufReader::new(stream.try_clone().expect("a connection")).lines();
    let first = lines.next()?.ok()?;
    let mut headers = Asked::new();
    loop {
        let line = lines.next()?.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    first.split(' ').nth(1).map(|path| (path.to_owned(), headers))
}

/// A whole answer.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    Answer::Bytes(bytes)
}
