//! What a score step adds to rows, and what it refuses.

use mlpipeline_crds::Revision;
use serde_json::json;

use crate::steps::{iris, metric, published, score, train, with_data};

#[test]
fn scoring_adds_predictions_to_rows_whatever_their_columns_order() {
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    let head = "id,petal_width,petal_length,sepal_width,sepal_length,species\n";
    volume.put("new.csv", format!("{head}a,0.2,1.4,3.5,5.1,setosa\nb,2.1,5.9,3.0,7.1,virginica\n"));
    let ended = volume.step(&score("file:new.csv", "csv"), &[]);
    ended.succeeds();
    assert_eq!(ended.report.rows, Some(2));
    assert_eq!((metric(&ended, "rows_setosa"), metric(&ended, "rows_virginica")), (1.0, 1.0));
    let text = std::fs::read_to_string(published(&volume, "score").join("data.csv")).expect("predictions");
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with(
            "species,predicted_species,probability_setosa,probability_versicolor,probability_virginica"
        ),
        "{text}"
    );
    assert!(lines[1].starts_with("a,0.2,1.4,3.5,5.1,setosa,setosa,0.9"), "{text}");
    assert!(lines[2].starts_with("b,2.1,5.9,3.0,7.1,virginica,virginica,"), "{text}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_row_is_predicted_for_alike_whatever_other_rows_its_file_has() {
    let rows = [("TRUE", "1"), ("+5", "2"), ("1.10", "3"), ("2024-01-01", "4"), ("007", "5"), ("word", "6")];
    let table: String = rows.iter().cycle().take(24).map(|(text, y)| format!("{text},,{y}\n")).collect();
    let volume = with_data(&format!("text,number,y\n{table}x,7.5,7\ny,8,8\n"));
    let fields = json!({"target": "y", "algorithm": {"linearRegression": {}},
        "columns": [{"name": "text", "as": "category"}]});
    volume.step(&train(fields), &[]).succeeds();
    for format in ["csv", "ndjson"] {
        for (text, expected) in rows {
            volume.put("new.csv", format!("text,number\n{text},\n"));
            volume.put("new.ndjson", format!("{{\"text\":\"{text}\",\"number\":null}}\n"));
            let mut step = score(&format!("file:new.{format}"), "csv");
            step["revision"] = json!({"fixed": Revision::of(&[format, text])});
            let ended = volume.step(&step, &[]);
            let predicted = metric(ended.succeeds(), "predictedMean");
            assert!(
                (predicted - expected.parse::<f64>().expect("a number")).abs() < 1e-6,
                "{format} {text}: {predicted}"
            );
        }
    }
}

#[test]
fn numbers_are_predicted_too_and_an_input_without_rows_gives_columns() {
    let volume = with_data("x,species\n1,2\n2,4\n3,6\n");
    volume.step(&train(json!({"algorithm": {"linearRegression": {}}})), &[]).succeeds();
    volume.put("new.csv", "x\n10\n");
    let ended = volume.step(&score("file:new.csv", "ndjson"), &[]);
    assert!((metric(ended.succeeds(), "predictedMean") - 20.0).abs() < 1e-9);
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    volume.put("none.csv", "petal_width,petal_length,sepal_width,sepal_length\n");
    let ended = volume.step(&score("file:none.csv", "csv"), &[]);
    assert_eq!(ended.succeeds().message(), "the input has no rows");
}

#[test]
fn what_cannot_be_scored_is_named_and_publishes_nothing() {
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    let head = "sepal_length,sepal_width,petal_length,petal_width";
    let good = "5.1,3.5,1.4,0.2\n".repeat(20_000);
    let rows = [
        (format!("{head}\n{good}5.1,3.5,,0.2\n"), "WrongFeature", "\"petal_length\" is null in row 20001"),
        (
            format!("{head}\n{good}5.1,3.5,x,0.2\n"),
            "WrongFeature",
            "\"petal_length\" has the text \"x\" in row 20001",
        ),
        (format!("{head}\n5.1,3.5,1e101,0.2\n"), "WrongFeature", "abs(\"petal_length\") <= 1e100"),
        (
            "sepal_length\n5.1\n".to_owned(),
            "ColumnNotFound",
            "\"sepal_width\" not found; columns are sepal_length",
        ),
        (
            format!("{head},predicted_species\n5.1,3.5,1.4,0.2,x\n"),
            "ColumnTaken",
            "\"predicted_species\" already",
        ),
    ];
    for (data, reason, part) in rows {
        volume.put("new.csv", data);
        volume.step(&score("file:new.csv", "parquet"), &[]).fails(3, reason, &[part]);
        assert!(!published(&volume, "score").exists());
    }
}

#[test]
fn a_damaged_or_foreign_model_is_named() {
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    volume.put("new.csv", "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n");
    let model = published(&volume, "train").join("model.json");
    let mut bytes = std::fs::read(&model).expect("a model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&model, bytes).expect("written");
    volume.step(&score("file:new.csv", "csv"), &[]).fails(3, "ArtifactDamaged", &["model.json has sha256"]);
    std::fs::remove_file(&model).expect("removed");
    volume.step(&score("file:new.csv", "csv"), &[]).fails(3, "ArtifactDamaged", &["model.json is missing"]);
}
