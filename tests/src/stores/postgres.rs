//! A PostgreSQL of a test's own.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{START, folder, free_port, identity};
use crate::process::Process;

/// The user that PostgreSQL runs as where tests run as root, which it refuses: nobody.
const NOBODY: u32 = 65534;

/// A PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    programs: PathBuf,
    authority: String,
    _process: Process,
}

/// One database of a [`Postgres`].
#[derive(Debug)]
pub struct Database<'a> {
    server: &'a Postgres,
    name: String,
}

/// A session that stays in the middle of a transaction until it is dropped.
#[derive(Debug)]
pub struct Held(Child);

impl Postgres {
    /// The superuser.
    pub const USER: &'static str = "admin";
    /// Its password.
    pub const PASSWORD: &'static str = "not-so-secret";

    /// Starts a server of its own, with a folder that goes with it.
    ///
    /// # Errors
    /// Says which program is missing or did not start, and where it logs.
    pub fn start() -> Result<Self, String> {
        let programs = postgres_programs()?;
        let folder = folder("mlpipeline-postgres")?;
        let data = folder.join("data");
        let (authority, certificate, key) = identity();
        let password = folder.join("password");
        for (name, text) in [("password", Self::PASSWORD), ("server.crt", &certificate), ("server.key", &key)]
        {
            write_private(&folder.join(name), text)?;
        }
        own(&folder)?;
        let user = format!("--username={}", Self::USER);
        let secret = format!("--pwfile={}", password.display());
        let made = as_nobody(&programs.join("initdb"))
            .args([
                &user,
                &secret,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .current_dir(&folder)
            .output();
        answer(made, "initdb")?;
        let port = free_port();
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", folder.join("server.crt").display()),
            format!("ssl_key_file={}", folder.join("server.key").display()),
        ];
        let command = as_nobody(&programs.join("postgres"));
        let mut arguments: Vec<String> =
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        arguments.extend(["-D".to_owned(), data.display().to_string()]);
        arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        let logs = std::env::temp_dir();
        let program = PathBuf::from(command.get_program());
        let mut process = Process::start(&program, &arguments, &logs, Some(&folder))?;
        let server = |process| Self { port, programs, authority, _process: process };
        let end = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            process.check()?;
            if Instant::now() > end {
                return Err(format!("PostgreSQL does not answer at port {port}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let server = server(process);
        while server.psql("postgres", "SELECT 1").is_err_and(|problem| problem.contains("starting up")) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The certificate authority of its certificate, in PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn database(&self, name: &str) -> Database<'_> {
        let create = format!("CREATE DATABASE \"{name}\"");
        self.psql("postgres", &create).unwrap_or_else(|problem| panic!("{problem}"));
        Database { server: self, name: name.to_owned() }
    }

    fn command(&self, database: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            Self::USER,
            "-d",
            database,
        ]);
        command
            .arg("-p")
            .arg(self.port.to_string())
            .env("PGPASSWORD", Self::PASSWORD)
            .env("PGOPTIONS", "-c client_min_messages=warning");
        command
    }

    fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut command = self.command(database);
        answer(command.args(["-c", sql]).stdin(Stdio::null()).output(), "psql")
    }
}

impl Database<'_> {
    /// Runs SQL, and returns its rows with fields apart by |.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn run(&self, sql: &str) -> String {
        self.server.psql(&self.name, sql).unwrap_or_else(|problem| panic!("{problem}\n{sql}"))
    }

    /// The URI of a table, whose name is written as in URIs.
    #[must_use]
    pub fn uri(&self, table: &str) -> String {
        format!("postgres://127.0.0.1:{}/{}/{table}", self.server.port, self.name)
    }

    /// Runs SQL in a transaction that stays open until what is returned is dropped.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn hold(&self, sql: &str) -> Held {
        let mut command = self.server.command(&self.name);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("psql starts");
        let mut input = child.stdin.take().expect("a pipe");
        writeln!(input, "BEGIN; {sql};\n\\echo held").expect("psql reads");
        input.flush().expect("psql reads");
        let mut lines =
            std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("a pipe")));
        let held = lines.by_ref().any(|line| line.expect("UTF-8") == "held");
        assert!(held, "psql ended");
        child.stdin = Some(input);
        Held(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// PostgreSQL's own programs, which Debian keeps out of the PATH; the newest version that is there.
fn postgres_programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    found.sort();
    let on_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let folders = found.into_iter().rev().map(|(_, folder)| folder).chain(on_path);
    folders.into_iter().find(|folder| folder.join("initdb").is_file()).ok_or_else(|| {
        "PostgreSQL is missing: install it with `make test-tools`, or `apt-get install postgresql`".to_owned()
    })
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").expect("a process")) == 0
}

/// A program that is not run as root.
fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]);
    command.arg(program);
    command
}

fn own(folder: &Path) -> Result<(), String> {
    if !is_root() {
        return Ok(());
    }
    let inner = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in inner.chain([folder.to_owned()]) {
        chown(&path, Some(NOBODY), Some(NOBODY)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn write_private(path: &Path, text: &str) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o600)))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn answer(output: std::io::Result<Output>, program: &str) -> Result<String, String> {
    let output = output.map_err(|error| format!("{program} does not start: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{program}: {}", text(&output.stderr)))
    }
}
