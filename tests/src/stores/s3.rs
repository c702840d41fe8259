//! An S3 server of a test's own.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{START, folder, free_port};
use crate::control_plane::tools;
use crate::process::Process;

/// An S3 server.
#[derive(Debug)]
pub struct S3 {
    endpoint: String,
    folder: PathBuf,
    _process: Process,
}

impl S3 {
    /// Starts a server of its own, with a folder that goes with it.
    ///
    /// # Errors
    /// Says which program is missing or did not start, and where it logs.
    pub fn start() -> Result<Self, String> {
        let program = tools::find("versitygw")?;
        let folder = folder("mlpipeline-s3")?;
        let buckets = folder.join("buckets");
        fs::create_dir(&buckets).map_err(|error| format!("{}: {error}", buckets.display()))?;
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = ["--access", "access-key", "--secret", "secret-key", "--port", &address, "posix"];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(buckets.display().to_string());
        let mut process = Process::start(&program, &arguments, &std::env::temp_dir(), Some(&folder))?;
        let end = Instant::now() + START;
        while TcpStream::connect(&address).is_err() {
            process.check()?;
            if Instant::now() > end {
                return Err(format!("versitygw does not answer at {address}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { endpoint: format!("http://{address}"), folder: buckets, _process: process })
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The entries of a Secret for it.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ACCESS_KEY_ID", "access-key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret-key".to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
        ]
    }

    /// Makes a bucket: its name, and the folder whose files are its objects.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn bucket(&self, name: &str) -> (String, PathBuf) {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        (name.to_owned(), folder)
    }
}
