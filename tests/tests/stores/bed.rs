//! The two servers, and steps done by the worker against them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlpipeline_crds::{Revision, StepReport};
use mlpipeline_tests::programs;
use mlpipeline_tests::stores::{Postgres, S3};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The settings of every pod of these tests: the servers are on loopback, and nobody waits for one that is not there.
pub const QUICK: [&str; 4] =
    ["--allow-address=127.0.0.0/8", "--fetch-attempts=2", "--fetch-backoff=1ms", "--idle-timeout=5s"];

/// The prefix of an input called t, and of the output.
pub const INPUT: &str = "MLPIPELINE_SECRET_INPUT_t_";
pub const OUTPUT: &str = "MLPIPELINE_SECRET_OUTPUT_";

/// The servers that all tests of this process share.
pub fn postgres() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(|| Postgres::start().unwrap_or_else(|problem| panic!("{problem}")))
}

pub fn s3() -> &'static S3 {
    static SHARED: OnceLock<S3> = OnceLock::new();
    SHARED.get_or_init(|| S3::start().unwrap_or_else(|problem| panic!("{problem}")))
}

/// A name that no other test has.
pub fn fresh(what: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    format!("{what}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
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

/// A volume, and the environment of the pods that use it.
pub struct Volume {
    pub folder: TempDir,
    pub environment: Vec<(String, String)>,
}

impl Volume {
    /// With the credentials of both servers for the input t and for the output.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() }
    }

    /// Adds the entries of a Secret under a prefix.
    pub fn with(mut self, prefix: &str, entries: &[(&str, &str)]) -> Self {
        let entries = entries.iter().map(|(key, value)| (format!("{prefix}{key}"), (*value).to_owned()));
        self.environment.extend(entries);
        self
    }

    pub fn with_s3(self, prefix: &str) -> Self {
        self.with(prefix, &s3().entries().each_ref().map(|(key, value)| (*key, value.as_str())))
    }

    pub fn with_postgres(self, prefix: &str) -> Self {
        let authority = postgres().authority();
        self.with(
            prefix,
            &[("username", Postgres::USER), ("password", Postgres::PASSWORD), ("ca.crt", authority)],
        )
    }

    pub fn step(&self, spec: &Value, arguments: &[&str]) -> Ended {
        let report = self.folder.path().join("report.json");
        let mut command = Command::new(programs::path("mlpipeline-worker"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().into_owned();
            if ["MLPIPELINE_", "AWS_", "PG"].iter().any(|start| text.starts_with(start)) {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().cloned());
        command.args(["step", "--storage"]).arg(self.folder.path().join("volume"));
        let flag = |argument: &str| argument.split('=').next().unwrap_or_default().to_owned();
        let quick = QUICK.into_iter().filter(|quick| arguments.iter().all(|own| flag(own) != flag(quick)));
        command.arg("--report").arg(&report).args(quick).args(arguments).arg(spec.to_string());
        let output = command.stdin(Stdio::null()).output().expect("the worker runs");
        let text = fs::read_to_string(&report).expect("a report");
        Ended {
            code: output.status.code().expect("an exit code"),
            report: StepReport::from_json(&text).expect("a report"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The text of a step's CSV.
    pub fn data(&self, ended: &Ended) -> String {
        let revision = ended.succeeds().report.revision.clone().expect("a revision");
        let path = self.folder.path().join(format!("volume/ns/pipe/data/{revision}/data.csv"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a file below the volume.
    pub fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.folder.path().join("volume").join(path), content);
    }
}

pub fn write(path: &Path, content: impl AsRef<[u8]>) -> PathBuf {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, content).expect("a file");
    path.to_owned()
}

/// A prepare step that writes CSV, with an input t of this URI; the named revision makes two steps of one test different.
pub fn prepare(uri: &str, sql: Option<&str>, revision: &str) -> Value {
    let credentials = (!uri.starts_with("file:")).then_some(INPUT);
    let mut source = json!({"uri": uri});
    if let Some(credentials) = credentials {
        source["credentials"] = credentials.into();
    }
    let mut action = json!({"inputs": [{"name": "t", "source": {"uri": source}}], "format": "csv"});
    if let Some(sql) = sql {
        action["sql"] = sql.into();
    }
    json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": "data",
        "revision": {"fixed": Revision::of(&[revision])},
        "action": {"prepare": action},
    })
}

/// The same step, delivering its result too.
pub fn delivering(mut spec: Value, to: &str) -> Value {
    spec["action"]["prepare"]["delivery"] = json!({"uri": to, "credentials": OUTPUT});
    spec
}
