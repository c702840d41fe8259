//! Every target with good bytes, with those that were found to be too much for it once, and with good ones that are changed at random.

use std::path::Path;

use proptest::prelude::*;

use super::TARGETS;
use super::change::{apply, changed};

#[test]
fn good_bytes_are_read() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        let read = seeds.iter().filter(|seed| (target.read)(seed)).count();
        // Some recorded graphs are refused by an import, and not every pattern fits the lines.
        assert!(
            read > 0 && (read == seeds.len() || ["import", "pattern"].contains(&target.name)),
            "{}: {read} of {}",
            target.name,
            seeds.len()
        );
    }
}

/// `tests/data/hostile/TARGET` has a file for each finding.
#[test]
fn what_was_found_once_is_read_or_refused() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile");
    for folder in std::fs::read_dir(&found).expect("findings") {
        let folder = folder.expect("a folder").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let target = TARGETS.into_iter().find(|target| target.name == name).expect("the folder of a target");
        for file in std::fs::read_dir(&folder).expect("files") {
            (target.read)(&std::fs::read(file.expect("a file").path()).expect("bytes"));
        }
    }
}

macro_rules! changed_at_random {
    ($(#[test] fn $name:ident of $target:literal;)+) => {
        proptest! {
            // There are many targets, and a file is written for each case.
            #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

            $(
                #[test]
                fn $name((seed, changes) in changed()) {
                    let target = TARGETS.into_iter().find(|target| target.name == $target).expect("a target");
                    let seeds = (target.seeds)();
                    (target.read)(&apply(seed.get(&seeds).clone(), &changes));
                }
            )+
        }

        #[test]
        fn each_target_is_changed() {
            let changed = [$($target),+];
            assert!(TARGETS.iter().all(|target| changed.contains(&target.name)));
        }
    };
}

changed_at_random! {
    #[test]
    fn changed_csv_gives_rows_or_says_what_is_wrong of "csv";
    #[test]
    fn changed_ndjson_gives_rows_or_says_what_is_wrong of "ndjson";
    #[test]
    fn changed_text_gives_rows_or_says_what_is_wrong of "text";
    #[test]
    fn a_changed_gzip_file_gives_rows_or_says_what_is_wrong of "gzip";
    #[test]
    fn a_changed_zstd_file_gives_rows_or_says_what_is_wrong of "zstd";
    #[test]
    fn changed_parquet_gives_rows_or_says_what_is_wrong of "parquet";
    #[test]
    fn a_changed_pattern_reads_lines_or_is_refused of "pattern";
    #[test]
    fn a_changed_model_predicts_or_is_refused of "model";
    #[test]
    fn a_changed_onnx_graph_is_computed_or_refused of "onnx";
    #[test]
    fn a_changed_onnx_file_is_imported_or_refused of "import";
    #[test]
    fn a_changed_manifest_is_read_or_refused of "manifest";
    #[test]
    fn a_changed_step_is_read_or_refused of "step";
    #[test]
    fn a_changed_report_is_read_or_refused of "report";
    #[test]
    fn a_changed_request_has_rows_or_is_refused of "request";
}
