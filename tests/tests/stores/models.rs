//! Train and score steps on rows of stores, and predictions that are delivered to stores.

use std::fs;

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

use super::bed::{Ended, INPUT, OUTPUT, Volume, fresh, postgres, s3, write};

/// A step of this name; its revision is of the name too.
fn step(name: &str, action: Value) -> Value {
    json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": name,
        "revision": {"fixed": Revision::of(&[name])}, "action": action,
    })
}

fn from(uri: &str) -> Value {
    json!({"uri": {"uri": uri, "credentials": INPUT}})
}

/// Learns y from x by a straight line.
fn train(uri: &str) -> Value {
    step("train", json!({"train": {"data": from(uri), "target": "y", "algorithm": {"linearRegression": {}}}}))
}

fn score(name: &str, uri: &str, format: &str, to: &str) -> Value {
    let model = format!("ns/pipe/train/{}", Revision::of(&["train"]));
    let delivery = json!({"uri": to, "credentials": OUTPUT});
    step(name, json!({"score": {"model": model, "input": from(uri), "format": format, "delivery": delivery}}))
}

fn model(volume: &Volume) -> Vec<u8> {
    let folder = volume.folder.path().join("volume/ns/pipe/train").join(Revision::of(&["train"]).as_str());
    fs::read(folder.join("model.json")).expect("a model")
}

#[track_caller]
fn predicted_mean(ended: &Ended) -> f64 {
    *ended.succeeds().report.metrics.get("predictedMean").expect("a mean")
}

#[test]
fn a_model_learns_the_same_from_objects_as_from_a_table_of_the_same_rows() {
    let (bucket, folder) = s3().bucket(&fresh("raw"));
    write(&folder.join("days/1.csv"), "x,y\n1,3\n2,5\n");
    write(&folder.join("days/2.csv"), "x,y\n3,7\n4,9\n");
    let lake = Volume::new().with_s3(INPUT);
    let learnt = lake.step(&train(&format!("s3://{bucket}/days/*.csv")), &[]);
    assert_eq!(learnt.succeeds().report.rows, Some(4));
    let database = postgres().database(&fresh("shop"));
    database
        .run("CREATE TABLE points (x bigint, y bigint); INSERT INTO points VALUES (1,3),(2,5),(3,7),(4,9)");
    let warehouse = Volume::new().with_postgres(INPUT);
    let learnt = warehouse.step(&train(&database.uri("points")), &[]);
    assert_eq!(learnt.succeeds().report.rows, Some(4));
    assert!(model(&lake) == model(&warehouse));
    // A column that may not be null elsewhere is, here.
    database.run("INSERT INTO points VALUES (5, NULL)");
    let refused = Volume::new().with_postgres(INPUT).step(&train(&database.uri("points")), &[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.message().contains("\"y\"") && refused.message().contains("row 5"), "{refused:?}");
}

#[test]
fn predictions_for_objects_fill_a_table_and_those_for_a_table_an_object() {
    let (bucket, folder) = s3().bucket(&fresh("lake"));
    write(&folder.join("points.csv"), "x,y\n1,3\n2,5\n3,7\n");
    write(&folder.join("new/a.csv"), "id,x\n1,10\n");
    write(&folder.join("new/b.csv"), "id,x\n2,20\n");
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE fresh (id bigint, x bigint); INSERT INTO fresh VALUES (7, 30)");
    let volume = Volume::new().with_s3(INPUT).with_postgres(INPUT).with_s3(OUTPUT).with_postgres(OUTPUT);
    volume.step(&train(&format!("s3://{bucket}/points.csv")), &[]).succeeds();

    let to_table = score("table", &format!("s3://{bucket}/new/*.csv"), "parquet", &database.uri("scored"));
    for reused in [false, true] {
        // What somebody else does to the table is undone when the step is asked again.
        let ended = volume.step(&to_table, &[]);
        assert!((predicted_mean(&ended) - 31.0).abs() < 1e-9, "{ended:?}");
        assert_eq!(ended.report.reused, reused);
        let rows = database.run("SELECT id, x, round(predicted_y::numeric, 6) FROM scored ORDER BY id");
        assert_eq!(rows, "1|10|21.000000\n2|20|41.000000\n");
        database.run("DELETE FROM scored");
    }

    let to_object = score("object", &database.uri("fresh"), "csv", &format!("s3://{bucket}/out/scored.csv"));
    assert!((predicted_mean(&volume.step(&to_object, &[])) - 61.0).abs() < 1e-9);
    let text = fs::read_to_string(folder.join("out/scored.csv")).expect("the object");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with("7,30,6"), "{text}");
}

#[test]
fn predictions_that_are_not_delivered_are_not_published() {
    let (bucket, folder) = s3().bucket(&fresh("lake"));
    write(&folder.join("points.csv"), "x,y\n1,3\n2,5\n3,7\n");
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE scored (other text)");
    let volume = Volume::new().with_s3(INPUT).with_s3(OUTPUT).with_postgres(OUTPUT);
    let points = format!("s3://{bucket}/points.csv");
    volume.step(&train(&points), &[]).succeeds();
    for (name, to, reason) in [
        ("bucket", "s3://no-such-bucket/scored.csv".to_owned(), "DataNotFound"),
        ("columns", database.uri("scored"), "DataMalformed"),
    ] {
        volume.step(&score(name, &points, "csv", &to), &[]).fails(3, reason, &[]);
        let folder = volume.folder.path().join("volume/ns/pipe").join(name);
        assert!(!folder.join(Revision::of(&[name]).as_str()).exists(), "{name} is published");
    }
}
