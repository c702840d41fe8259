//! A file whose bytes go to the disk while more are computed.
//!
//! Owns when the system is asked for that. Left to itself it begins when nothing else is left to do, and a result of many megabytes is then
//! waited for.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// How many bytes are worth asking for.
const PART_BYTES: usize = 8 << 20;

/// A file that is being written. Its clones are the same file.
#[derive(Clone, Debug)]
pub(super) struct EarlySync(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: File,
    parts: Mutex<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    /// Bytes that the disk was not asked to take.
    unasked: usize,
    /// The request that it has not answered.
    under_way: Option<JoinHandle<io::Result<()>>>,
}

impl EarlySync {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(Shared { file, parts: Mutex::default() }))
    }

    /// Waits until all that was written is durable.
    ///
    /// # Errors
    /// When the disk did not take some of it, now or before: the system says so only once.
    pub(super) fn finish(&self) -> io::Result<()> {
        let under_way = self.parts().under_way.take();
        answer(under_way)?;
        self.0.file.sync_all()
    }

    /// Notes bytes that were written, and has the disk take them where they are many and it has taken those before.
    fn wrote(&self, bytes: usize) -> io::Result<()> {
        let mut parts = self.parts();
        parts.unasked += bytes;
        if parts.unasked < PART_BYTES || parts.under_way.as_ref().is_some_and(|thread| !thread.is_finished())
        {
            return Ok(());
        }
        answer(parts.under_way.take())?;
        let shared = Arc::clone(&self.0);
        // Without a thread, all is done in the end.
        parts.under_way = thread::Builder::new().spawn(move || shared.file.sync_data()).ok();
        parts.unasked = 0;
        Ok(())
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(under_way: Option<JoinHandle<io::Result<()>>>) -> io::Result<()> {
    let Some(thread) = under_way else { return Ok(()) };
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs is gone")))
}

impl Write for EarlySync {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = (&self.0.file).write(bytes)?;
        self.wrote(written)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.0.file).flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_are_in_the_file_in_their_order_when_it_is_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data");
        let mut file = EarlySync::new(File::create(&path).expect("a file"));
        let mut all = Vec::new();
        for part in 0..40_u8 {
            let bytes = vec![part; 1 << 20];
            file.write_all(&bytes).expect("written");
            all.extend(bytes);
        }
        assert!(file.parts().under_way.is_some(), "the disk was asked before the end");
        file.finish().expect("durable");
        assert!(std::fs::read(&path).expect("a file") == all);
    }

    #[test]
    fn what_the_disk_could_not_take_before_is_an_error_in_the_end() {
        let file = EarlySync::new(tempfile::tempfile().expect("a file"));
        file.parts().under_way = Some(thread::spawn(|| Err(io::ErrorKind::StorageFull.into())));
        assert_eq!(file.finish().map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    }

    #[test]
    fn what_the_disk_could_not_take_before_ends_the_writing() {
        let mut file = EarlySync::new(tempfile::tempfile().expect("a file"));
        let failing = thread::spawn(|| Err(io::ErrorKind::StorageFull.into()));
        while !failing.is_finished() {
            thread::yield_now();
        }
        file.parts().under_way = Some(failing);
        let written = file.write_all(&vec![0; PART_BYTES]);
        assert_eq!(written.map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    }
}
