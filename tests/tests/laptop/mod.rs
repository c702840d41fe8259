//! A folder with the crash course in it, a web server for its data, and `local` run there as a user would.

// Each test file uses its own part, and a test that cannot go on can only fail.
#![allow(dead_code, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mlpipeline_tests::programs;
use serde_json::Value;

/// The longest that anything here may take.
const TIMEOUT: Duration = Duration::from_secs(180);

/// A folder to run pipelines in, and a web server.
pub struct Laptop {
    folder: tempfile::TempDir,
    server: Child,
    /// HOST:PORT of the web server, which serves the folder `data`.
    pub address: String,
}

/// How one step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub state: String,
    pub revision: Option<String>,
    pub ran: bool,
    pub message: String,
}

impl Laptop {
    /// With the crash course's pipeline and data.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sample = programs::repository().join("deploy/samples/crash-course");
        fs::create_dir(folder.path().join("data")).expect("a folder");
        fs::copy(sample.join("data/iris.csv"), folder.path().join("data/iris.csv")).expect("the data");
        fs::copy(sample.join("pipeline.yaml"), folder.path().join("pipeline.yaml")).expect("the pipeline");
        let mut server = Command::new(programs::path("loopback"))
            .args(["serve", "data"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut url = String::new();
        let output = server.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut url).expect("its address");
        let address = url.trim().strip_prefix("http://").expect("a URL").to_owned();
        Self { folder, server, address }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect(name);
    }

    /// Changes a text in the pipeline that is there once.
    pub fn edit(&self, before: &str, after: &str) {
        let text = self.read("pipeline.yaml");
        assert_eq!(text.matches(before).count(), 1, "{before}");
        self.write("pipeline.yaml", &text.replace(before, after));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::path("kubectl-mlpipeline"));
        command.args(arguments).args(["--resolve", &format!("iris-data={}", self.address)]);
        command.current_dir(self.path()).stdin(Stdio::null());
        command.env_remove("MLPIPELINE_DATA_DIR").env_remove("MLPIPELINE_WORKER");
        command
    }

    /// Runs everything that runs to completion.
    pub fn once(&self) -> (i32, BTreeMap<String, Step>) {
        self.once_in(".mlpipeline")
    }

    pub fn once_in(&self, data: &str) -> (i32, BTreeMap<String, Step>) {
        let mut command =
            self.command(&["local", "pipeline.yaml", "--once", "-o", "json", "--data-dir", data]);
        let output = command.output().expect("it runs");
        let summary: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().expect("an exit code"), steps(&summary))
    }

    /// Starts `local`, and reads what it prints.
    pub fn start(&self, arguments: &[&str]) -> Local {
        let out = self.path().join("out");
        let file = fs::File::create(&out).expect("a file");
        let mut command = self.command(&[&["local", "pipeline.yaml"], arguments].concat());
        let child =
            command.stdout(file.try_clone().expect("a file")).stderr(file).spawn().expect("it starts");
        Local { child, out }
    }

    /// The only file of this name among a step's results.
    pub fn result(&self, step: &str, file: &str) -> PathBuf {
        let folder = self.path().join(".mlpipeline/volume/ml-course/iris").join(step);
        let found: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("the step's folder")
            .map(|entry| entry.expect("an entry").path().join(file))
            .filter(|path| path.is_file())
            .collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().expect("one")
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// The steps of what `local -o json` prints.
pub fn steps(summary: &Value) -> BTreeMap<String, Step> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let step = |step: &Value| {
        let revision = step["revision"].as_str().map(str::to_owned);
        let read = Step {
            state: text(&step["state"]),
            revision,
            ran: step["ran"] == true,
            message: text(&step["message"]),
        };
        (text(&step["step"]), read)
    };
    summary["steps"].as_array().expect("steps").iter().map(step).collect()
}

/// `local` at work.
pub struct Local {
    child: Child,
    out: PathBuf,
}

impl Local {
    pub fn printed(&self) -> String {
        fs::read_to_string(&self.out).expect("what it printed")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a status").is_some()
    }

    /// Waits for a line, and gives what follows on it.
    pub fn wait_for(&mut self, start: &str) -> String {
        let mut found = None;
        wait_until(start, || {
            let printed = self.printed();
            assert!(!self.has_ended() || printed.contains(start), "ended without {start:?}:\n{printed}");
            found = printed.lines().find_map(|line| line.trim_start().strip_prefix(start).map(str::to_owned));
            found.is_some()
        });
        found.expect("the line")
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Kills it, unless it has ended.
    pub fn kill(&mut self) {
        self.child.kill().ok();
    }

    /// Waits for its end; its exit code, where it was not killed.
    pub fn end(mut self) -> Option<i32> {
        wait_until("the end", || self.has_ended());
        self.child.wait().expect("a status").code()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        // A look every few milliseconds: spinning would take the processor from what is waited for.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The ids of processes that have this text in their command line.
pub fn processes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("processes") {
        let entry = entry.expect("an entry");
        // Processes come and go meanwhile.
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        if String::from_utf8_lossy(&line).contains(text) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

/// One HTTP exchange on a connection of its own: status, head and body.
pub fn request(url: &str, body: Option<&str>) -> std::io::Result<(u16, String, String)> {
    let rest = url.strip_prefix("http://").expect("a URL");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let (method, body) = body.map_or(("GET", ""), |body| ("POST", body));
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no HTTP answer"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, head.to_owned(), body.to_owned()))
}

/// Every file under a folder, by its path, with its content.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    files
}
