//! Steady requests from threads, each over connections of its own, and a tally of the answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::bed::{Answer, try_http};

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Tally {
    pub answered: usize,
    pub failed: Vec<String>,
    /// The pods and the models that answered.
    pub pods: BTreeSet<String>,
    pub models: BTreeSet<String>,
}

/// Requests until stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// Sends `body` to a server's /predict from so many threads at once.
    pub fn start(url: &str, body: &str, headers: &[&str], threads: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), body).expect("the body is written");
        let file = Arc::new(file);
        let threads = (0..threads)
            .map(|_| {
                let (stop, file, url) = (Arc::clone(&stop), Arc::clone(&file), format!("{url}/predict"));
                let headers: Vec<String> = headers.iter().map(|&header| header.to_owned()).collect();
                std::thread::spawn(move || {
                    let data = format!("@{}", file.path().display());
                    let mut arguments = vec!["--header", "content-type: application/json", "--data", &data];
                    headers.iter().for_each(|header| arguments.extend(["--header", header]));
                    let mut tally = Tally::default();
                    while !stop.load(Ordering::Relaxed) {
                        tally.add(try_http(&url, &arguments));
                    }
                    tally
                })
            })
            .collect();
        Self { stop, threads }
    }

    /// Ends the requests and says what became of them.
    pub fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for thread in self.threads {
            let tally = thread.join().expect("no request panics");
            all.answered += tally.answered;
            all.failed.extend(tally.failed);
            all.pods.extend(tally.pods);
            all.models.extend(tally.models);
        }
        all
    }
}

impl Tally {
    /// Asserts that there were requests, and that none failed.
    pub fn all_answered(&self) {
        let failed: Vec<&String> = self.failed.iter().take(5).collect();
        assert!(self.failed.is_empty(), "S4: {} of {} failed: {failed:?}", self.failed.len(), self.answered);
        assert!(self.answered > 0, "nobody asked");
    }

    fn add(&mut self, answer: Result<Answer, String>) {
        match answer {
            Ok(answer) if answer.status == 200 => {
                self.answered += 1;
                self.pods.extend(answer.header("x-mlpipeline-pod").map(str::to_owned));
                self.models.extend(answer.header("x-mlpipeline-model-revision").map(str::to_owned));
            }
            Ok(answer) => self.failed.push(format!("{}: {}", answer.status, answer.body)),
            Err(problem) => self.failed.push(problem),
        }
    }
}
