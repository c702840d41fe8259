//! Files that change between the look at their columns and the reading of their rows: an error that another run may not have, in every
//! format, and never other rows.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use mlpipeline_crds::Format;
use parquet::arrow::ArrowWriter;

use super::{ReadOptions, of};
use crate::engine::query_error;
use crate::failure::StepError;
use crate::table::LocalFile;

fn content(format: Format, rows: i64) -> Vec<u8> {
    let lines = |line: &dyn Fn(i64) -> String| (0..rows).map(line).collect::<String>();
    match format {
        Format::Csv => format!("a\n{}", lines(&|row| format!("{row}\n"))).into_bytes(),
        Format::Ndjson => lines(&|row| format!("{{\"a\": {row}}}\n")).into_bytes(),
        Format::Text => lines(&|row| format!("a={row}\n")).into_bytes(),
        Format::Parquet => {
            let column: ArrayRef = Arc::new((0..rows).map(Some).collect::<Int64Array>());
            let batch = RecordBatch::try_from_iter([("a", column)]).expect("a batch");
            let mut bytes = Vec::new();
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
            writer.write(&batch).expect("written");
            writer.close().expect("written");
            bytes
        }
    }
}

/// How many rows are read of a file that changes after its columns were looked at.
async fn rows(format: Format, change: impl FnOnce(&Path)) -> Result<usize, StepError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows");
    std::fs::write(&path, content(format, 3)).expect("a file");
    let file = LocalFile::stored(folder.path(), path.clone(), "file:rows".into()).expect("a file");
    let pattern = (format == Format::Text).then(|| "a=(?<a>[0-9]+)".to_owned());
    let options = ReadOptions { pattern, ..ReadOptions::default() };
    let table = of(format).infer(vec![file], &options, &|| false).expect("a table").table;
    change(&path);
    let session = datafusion::prelude::SessionContext::new();
    let batches = session.read_table(table).expect("a table").collect().await;
    let batches = batches.map_err(|error| query_error(&error))?;
    Ok(batches.iter().map(RecordBatch::num_rows).sum())
}

/// Writes to a file until its times are others: the kernel's clock for files may have a coarse tick.
fn overwrite(path: &Path, content: &[u8]) {
    let changed =
        || std::fs::metadata(path).map(|found| (found.ctime(), found.ctime_nsec())).expect("a file");
    let before = changed();
    while changed() == before {
        std::fs::write(path, content).expect("written");
    }
}

#[tokio::test]
async fn a_file_that_changes_before_its_rows_are_read_is_an_error_that_is_retried() {
    for format in [Format::Csv, Format::Ndjson, Format::Text, Format::Parquet] {
        assert_eq!(rows(format, |_| {}).await.expect("as it was"), 3, "{format:?}");
        let gone = rows(format, |path| std::fs::remove_file(path).expect("removed")).await;
        assert_eq!(gone.expect_err("no file").exit_code.code(), 4, "{format:?}");
        let replaced = rows(format, |path| {
            let other = path.with_extension("new");
            std::fs::write(&other, content(format, 3)).expect("a file");
            std::fs::rename(other, path).expect("renamed");
        });
        let rewritten = rows(format, |path| overwrite(path, &content(format, 2)));
        let same_length = rows(format, |path| overwrite(path, &content(format, 3)));
        for changed in [replaced.await, rewritten.await, same_length.await] {
            let error = changed.expect_err("another content");
            assert_eq!((error.exit_code.code(), error.reason), (4, "DataChanged"), "{format:?}: {error}");
            assert!(error.message.contains("file:rows changed while it was read"), "{error}");
        }
    }
}
