//! S3.

use std::fs;

use mlpipeline_crds::Digest;
use serde_json::json;

use super::bed::{INPUT, OUTPUT, Volume, delivering, fresh, prepare, s3, write};

#[test]
fn objects_that_fit_a_pattern_are_read_in_the_order_of_their_keys() {
    let (name, folder) = s3().bucket(&fresh("raw"));
    for (key, text) in [
        ("days/b.csv", "a\n2\n"),
        ("days/a b.csv", "a\n1\n"),
        ("days/.hidden.csv", "a\n9\n"),
        ("days/deeper/c.csv", "a\n9\n"),
        ("days/c.txt", "no csv"),
        ("other/a.csv", "a\n9\n"),
    ] {
        write(&folder.join(key), text);
    }
    let volume = Volume::new().with_s3(INPUT);
    let ended = volume.step(&prepare(&format!("s3://{name}/days/*.csv"), None, "all"), &[]);
    assert_eq!(volume.data(&ended), "a\n1\n2\n");
    let ended = volume.step(&prepare(&format!("s3://{name}/*/a.csv"), None, "folders"), &[]);
    assert_eq!(volume.data(&ended), "a\n9\n");
    let ended = volume.step(&prepare(&format!("s3://{name}/days/*.parquet"), None, "none"), &[]);
    ended.fails(3, "DataNotFound", &["no object fits", &name]);
}

#[test]
fn an_object_of_another_digest_is_refused() {
    let (name, folder) = s3().bucket(&fresh("raw"));
    write(&folder.join("a.csv"), "a\n1\n");
    let volume = Volume::new().with_s3(INPUT);
    let mut spec = prepare(&format!("s3://{name}/a.csv"), None, "digest");
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["sha256"] = json!(Digest::of(b"other"));
    volume.step(&spec, &[]).fails(3, "DataMalformed", &[Digest::of(b"a\n1\n").as_str()]);
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["sha256"] = json!(Digest::of(b"a\n1\n"));
    volume.step(&spec, &[]).succeeds();
    volume.step(&spec, &["--max-download=3"]).succeeds();
    let other = prepare(&format!("s3://{name}/a.csv"), None, "limit");
    volume.step(&other, &["--max-download=3"]).fails(3, "StoreRefused", &["--max-download"]);
}

#[test]
fn what_a_store_refuses_is_said_with_its_name_and_endpoint() {
    let (name, folder) = s3().bucket(&fresh("raw"));
    write(&folder.join("a.csv"), "a\n1\n");
    let endpoint = s3().endpoint();
    let volume = Volume::new().with_s3(INPUT);
    let missing = volume.step(&prepare(&format!("s3://{name}/b.csv"), None, "x"), &[]);
    missing.fails(3, "DataNotFound", &[&name, "b.csv", endpoint, "no such object"]);
    for key in ["a.csv", "*.csv"] {
        let ended = volume.step(&prepare(&format!("s3://no-such-bucket/{key}"), None, "x"), &[]);
        ended.fails(3, "DataNotFound", &["there is no bucket no-such-bucket", endpoint]);
    }
    let uri = format!("s3://{name}/a.csv");
    let ended = Volume::new().step(&prepare(&uri, None, "x"), &[]);
    ended.fails(2, "CredentialsMissing", &["AWS_ACCESS_KEY_ID", "secret"]);
    let half = Volume::new().with(INPUT, &[("AWS_ACCESS_KEY_ID", "x")]);
    half.step(&prepare(&uri, None, "x"), &[]).fails(
        2,
        "CredentialsMissing",
        &["AWS_SECRET_ACCESS_KEY is not"],
    );
    let wrong = [
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "wrong-key"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let ended = Volume::new().with(INPUT, &wrong).step(&prepare(&uri, None, "x"), &[]);
    // This server has a code of its own for that.
    ended.fails(3, "StoreRefused", &[endpoint, "No user exists"]);
    let wrong = Volume::new().with_s3(INPUT).with(INPUT, &[("AWS_SECRET_ACCESS_KEY", "wrong-key")]);
    wrong.step(&prepare(&uri, None, "x"), &[]).fails(3, "StoreRefused", &["does not know these credentials"]);
}

#[test]
fn an_endpoint_that_is_not_there_is_tried_again_and_one_of_metadata_never() {
    let uri = "s3://raw/a.csv";
    let to = |endpoint: &str| Volume::new().with_s3(INPUT).with(INPUT, &[("AWS_ENDPOINT_URL", endpoint)]);
    // Bound and closed again: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    to(&closed).step(&prepare(uri, None, "x"), &[]).fails(4, "StoreUnreachable", &[&closed, "no connection"]);
    for endpoint in ["http://169.254.169.254", "http://[::ffff:169.254.169.254]", "http://[fd00:ec2::254]:80"]
    {
        let ended = to(endpoint).step(&prepare(uri, None, "x"), &[]);
        ended.fails(3, "StoreRefused", &["metadata", "--allow-address"]);
    }
    for endpoint in ["http://localhost:1", "http://[::1]:1"] {
        let ended = to(endpoint).step(&prepare(uri, None, "x"), &["--allow-address=10.0.0.0/8"]);
        // QUICK allows 127.0.0.0/8 and nothing of IPv6.
        assert!(matches!(ended.code, 3 | 4), "{ended:?}");
    }
    to("ftp://x").step(&prepare(uri, None, "x"), &[]).fails(2, "StoreInvalid", &["AWS_ENDPOINT_URL"]);
}

#[test]
fn without_a_secret_the_pods_own_variables_serve() {
    let (name, folder) = s3().bucket(&fresh("raw"));
    write(&folder.join("a.csv"), "a\n1\n");
    let volume = Volume::new().with_s3("");
    let mut spec = prepare(&format!("s3://{name}/a.csv"), None, "own");
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"] = json!({"uri": format!("s3://{name}/a.csv")});
    assert_eq!(volume.data(&volume.step(&spec, &[])), "a\n1\n");
    // A Secret that is named is the only one that is used.
    let named = prepare(&format!("s3://{name}/a.csv"), None, "named");
    volume.step(&named, &[]).fails(2, "CredentialsMissing", &["Secret"]);
}

#[test]
fn a_result_replaces_its_object_and_does_so_again_when_the_step_is_asked_again() {
    let (name, folder) = s3().bucket(&fresh("lake"));
    let volume = Volume::new().with_s3(OUTPUT);
    volume.put("a.csv", "a\n1\n");
    let object = folder.join("out/a.csv");
    let to = format!("s3://{name}/out/a.csv");
    let first = delivering(prepare("file:a.csv", None, "first"), &to);
    volume.step(&first, &[]).succeeds();
    assert_eq!(fs::read_to_string(&object).expect("the object"), "a\n1\n");
    let second = delivering(prepare("file:a.csv", Some("SELECT a + 1 AS a FROM t"), "second"), &to);
    volume.step(&second, &[]).succeeds();
    assert_eq!(fs::read_to_string(&object).expect("the object"), "a\n2\n");
    // The first artifact is complete, and what is there is of the second.
    let again = volume.step(&first, &[]);
    assert!(again.succeeds().report.reused);
    assert_eq!(fs::read_to_string(&object).expect("the object"), "a\n1\n");
    let folder_form = delivering(prepare("file:a.csv", None, "third"), &format!("s3://{name}/folder/"));
    volume.step(&folder_form, &[]).succeeds();
    assert_eq!(fs::read_to_string(folder.join("folder/data.csv")).expect("the object"), "a\n1\n");
}

#[test]
fn a_large_result_goes_in_parts_and_nothing_is_published_that_is_not_delivered() {
    let (name, folder) = s3().bucket(&fresh("lake"));
    let volume = Volume::new().with_s3(OUTPUT);
    let line = "x".repeat(999);
    let mut text = "a\n".to_owned();
    for number in 0..20_000 {
        text.push_str(&format!("{number:06}{line}\n"));
    }
    volume.put("large.csv", &text);
    let to = format!("s3://{name}/large.csv");
    volume.step(&delivering(prepare("file:large.csv", None, "large"), &to), &[]).succeeds();
    assert!(fs::read_to_string(folder.join("large.csv")).expect("the object") == text);
    let nowhere = delivering(prepare("file:large.csv", None, "nowhere"), "s3://no-such-bucket/large.csv");
    volume.step(&nowhere, &[]).fails(3, "DataNotFound", &["no-such-bucket"]);
    let step = volume.folder.path().join("volume/ns/pipe/data");
    let artifacts = fs::read_dir(step).expect("a folder").filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        !name.to_string_lossy().starts_with('.')
    });
    assert_eq!(artifacts.count(), 1);
}
