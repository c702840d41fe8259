//! A served model for tests: its folder, its process, and a client that can also send what no client should.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests may panic: that is how they fail")]

pub mod models;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use mlpipeline_crds::{Revision, RevisionRule, StepReport};
use mlpipeline_worker::artifact::{Draft, Kind};
use mlpipeline_worker::model::Model;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The request of the crash course.
pub const SETOSA: &str =
    r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

/// A row of another class.
pub const VIRGINICA: &str =
    r#"{"petal_width": 2.5, "petal_length": 6, "sepal_width": 3.3, "sepal_length": 6.3}"#;

/// The revision of every model here.
pub fn revision() -> Revision {
    Revision::of(&["a model for tests"])
}

/// Publishes a model in a step's folder, and returns the model's own.
pub fn publish(step: &Path, model: &Model) -> PathBuf {
    let draft = Draft::begin(step).expect("a draft");
    for (name, bytes) in model.files().expect("files") {
        draft.write(name, &bytes).expect("the file is written");
    }
    let report = StepReport::succeeded(None);
    draft.publish(Kind::Model, report, &RevisionRule::Fixed(revision())).expect("it is published").folder
}

/// A worker that serves, ended when dropped.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
    _folder: Option<TempDir>,
}

impl Server {
    /// Serves a model on a free port with more arguments and environment variables, and waits until it is ready.
    pub fn start(model: &Model, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = spawn(&publish(folder.path(), model), arguments, environment);
        Self::new(process, Some(folder))
    }

    /// Runs a command that serves on a free port, and waits until it is ready.
    pub fn start_command(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::new(run(arguments.iter().map(AsRef::as_ref), environment), None)
    }

    fn new((child, lines): (Child, Receiver<String>), folder: Option<TempDir>) -> Self {
        let mut server =
            Self { address: ([127, 0, 0, 1], 0).into(), child, lines, said: Vec::new(), _folder: folder };
        let line = server.wait_for_line("http://127.0.0.1:");
        let port: String = line
            .split("http://127.0.0.1:")
            .nth(1)
            .expect("an address")
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        server.address.set_port(port.parse().expect("a port"));
        server
    }

    /// Where a server that logs its start answers probes.
    pub fn probe_address(&mut self) -> SocketAddr {
        let said = self.said.iter().find(|line| line.contains("answering probes")).cloned();
        let line = said.unwrap_or_else(|| self.wait_for_line("answering probes"));
        let port: String = line
            .split("127.0.0.1:")
            .nth(1)
            .expect("an address")
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        ([127, 0, 0, 1], port.parse().expect("a port")).into()
    }

    /// Waits until the process says something.
    pub fn wait_for_line(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(error) => panic!("{error} before {part:?} was said; said so far: {:#?}", self.said),
            }
        }
    }

    /// All that the process has said and says until it is killed now.
    pub fn all_lines(mut self) -> Vec<String> {
        self.child.kill().expect("a running process");
        let mut said = std::mem::take(&mut self.said);
        said.extend(self.lines.iter());
        said
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().expect("a child"))
    }

    /// A new connection.
    pub fn connect(&self) -> Connection {
        self.try_connect().expect("the server accepts")
    }

    /// A new connection, if the server takes one.
    pub fn try_connect(&self) -> std::io::Result<Connection> {
        self.try_connect_within(TIMEOUT)
    }

    /// A new connection, if the server or the kernel takes one in this time.
    pub fn try_connect_within(&self, time: std::time::Duration) -> std::io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&self.address, time)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection(BufReader::new(stream)))
    }

    /// Asks with GET.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    /// Asks for predictions.
    pub fn predict(&self, body: &str) -> Answer {
        self.request("POST", "/predict", &[("content-type", "application/json")], body.as_bytes())
    }

    /// Asks for anything.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut connection = self.connect();
        connection.send(&head(method, path, headers, body.len()));
        // A server that refuses a large body may have closed already; then its answer is there to be read.
        let _ = connection.0.get_mut().write_all(body);
        if method == "HEAD" { connection.read_head() } else { connection.read() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `serve` on a model's folder.
pub fn spawn(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (Child, Receiver<String>) {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--model"].map(OsStr::new);
    run(serve.into_iter().chain([folder.as_os_str()]).chain(arguments.iter().map(OsStr::new)), environment)
}

/// Runs the worker, with all that it says as lines.
fn run<'a>(
    arguments: impl Iterator<Item = &'a OsStr>,
    environment: &[(&str, &str)],
) -> (Child, Receiver<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mlpipeline-worker"))
        .args(arguments)
        .env_remove("MLPIPELINE_API_KEY")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the worker runs");
    let (sender, lines) = mpsc::channel();
    let out: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("piped"));
    let err: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("piped"));
    for pipe in [out, err] {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
    }
    (child, lines)
}

/// Serves a folder until the process ends by itself; its exit code and all that it said.
pub fn run_to_end(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let (mut child, lines) = spawn(folder, arguments, environment);
    let status = until("the process ends", || child.try_wait().expect("a child"));
    (status.code(), lines.iter().collect::<Vec<_>>().join("\n"))
}

/// A new connection to any port.
pub fn connect(address: SocketAddr) -> Connection {
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a time-out");
    Connection(BufReader::new(stream))
}

/// Waits until something is there.
pub fn until<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(start.elapsed() < TIMEOUT, "{what}: not within {TIMEOUT:?}");
        // A look every few milliseconds: spinning would take the processor from what is waited for.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The head of a request.
pub fn head(method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// One connection, which may carry several requests.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Sends bytes as they are.
    pub fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("the server reads");
    }

    /// Sends bytes to a server that may have closed.
    pub fn send_if_taken(&mut self, text: &str) {
        let _ = self.0.get_mut().write_all(text.as_bytes());
    }

    /// The first line of an answer from a server that may have closed without one.
    pub fn read_if_answered(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).is_ok_and(|length| length > 0).then_some(line)
    }

    /// Whether the server ended the connection without another word.
    pub fn is_closed_silently(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Reads an answer without its body.
    pub fn read_head(&mut self) -> Answer {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        let code = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {line:?}"));
        let mut answer =
            Answer { code: code.parse().expect("a code"), headers: Vec::new(), body: String::new() };
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a header");
            match line.trim_end().split_once(':') {
                Some((name, value)) => answer.headers.push((name.to_lowercase(), value.trim().to_owned())),
                None => return answer,
            }
        }
    }

    /// Reads an answer.
    pub fn read(&mut self) -> Answer {
        let mut answer = self.read_head();
        let length = answer.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the whole body");
        answer.body = String::from_utf8(body).expect("UTF-8");
        answer
    }
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of an error's answer.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error in {self:?}")).to_owned()
    }
}
