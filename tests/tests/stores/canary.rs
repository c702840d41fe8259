//! S7: what stands in a Secret appears in no report, log, error or artifact, however much is logged.

use std::fs;
use std::path::Path;

use super::bed::{INPUT, OUTPUT, Volume, delivering, fresh, postgres, prepare, s3};

const CANARY: &str = "canary-5e1f0c";

fn search(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, found);
        } else if String::from_utf8_lossy(&fs::read(&path).expect("a file")).contains(CANARY) {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn s7_no_secret_value_is_written_anywhere() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE orders (id integer); INSERT INTO orders VALUES (1)");
    database.run(&format!("CREATE ROLE reader LOGIN PASSWORD '{CANARY}'; GRANT SELECT ON orders TO reader"));
    let (bucket, folder) = s3().bucket(&fresh("raw"));
    super::bed::write(&folder.join("a.csv"), "a\n1\n");
    let keys = |endpoint: &str| {
        [
            ("AWS_ACCESS_KEY_ID", CANARY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned()),
            ("AWS_SESSION_TOKEN", CANARY.to_owned()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ]
    };
    let wrong_keys = keys(s3().endpoint());
    let wrong_keys = wrong_keys.each_ref().map(|(key, value)| (*key, value.as_str()));
    let authority = ("ca.crt", postgres().authority());
    let right = [("username", "reader"), ("password", CANARY), authority];
    let wrong = [("username", CANARY), ("password", CANARY), ("token", CANARY), authority];
    let table = database.uri("orders");
    let object = format!("s3://{bucket}/a.csv");
    let closed = "http://127.0.0.1:1/a.csv";
    for (entries, uri, code) in [
        (&right[..], table.as_str(), 0),
        (&wrong[..], table.as_str(), 3),
        (&wrong_keys[..], object.as_str(), 3),
        (&wrong[..], closed, 4),
    ] {
        let mut volume = Volume::new().with(INPUT, entries).with(OUTPUT, entries);
        volume.environment.push(("RUST_LOG".to_owned(), "trace".to_owned()));
        let ended = volume.step(&prepare(uri, None, "in"), &[]);
        assert_eq!(ended.code, code, "{uri}: {}", ended.message());
        assert!(ended.stderr.len() > 100, "nothing was logged: {ended:?}");
        volume.put("a.csv", "a\n1\n");
        let delivered = volume.step(
            &delivering(prepare("file:a.csv", None, "out"), if code == 4 { &object } else { uri }),
            &[],
        );
        for ended in [&ended, &delivered] {
            let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains(CANARY)).collect();
            assert!(lines.is_empty(), "{uri}: {lines:#?}");
            assert!(!ended.report.to_json().contains(CANARY), "{ended:?}");
        }
        let mut found = Vec::new();
        search(volume.folder.path(), &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
}
