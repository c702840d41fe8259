//! A forecast by seasons: measured from several points in time, and used with raw rows.
//! The fixture is written by tests/reference/forecast_fixtures.py.

use serde_json::{Value, json};

use crate::steps::{evaluation, metric, published, score, train, with_data};
use crate::support::Volume;

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/forecasts.json");
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

fn csv(rows: &Value) -> String {
    let text = |row: &Value| {
        format!("{},{},{}\n", row[0].as_str().expect("a day"), row[1].as_str().expect("a key"), row[2])
    };
    rows.as_array().expect("rows").iter().map(text).collect()
}

fn forecast(fields: Value) -> Value {
    let mut all = json!({
        "target": "sold", "columns": [{"name": "day", "as": "date"}], "algorithm": {"seasonalNaive": {}},
        "crossValidation": {"folds": 3},
    });
    for (name, value) in fields.as_object().expect("fields") {
        all[name] = value.clone();
    }
    train(all)
}

/// What is predicted for rows, or the message with which they are refused.
fn predicted(volume: &Volume, rows: &str) -> Vec<f64> {
    volume.put("new.csv", rows);
    volume.step(&score("file:new.csv", "csv"), &[]).succeeds();
    let scored = std::fs::read_to_string(published(volume, "score").join("data.csv")).expect("predictions");
    let last = |line: &str| line.rsplit(',').next().expect("a value").parse().expect("a number");
    scored.lines().skip(1).map(last).collect()
}

#[test]
fn a_forecast_and_its_back_test_are_those_of_pandas() {
    for case in cases() {
        let name = &case["name"];
        let volume = with_data(&format!("day,shop,sold\n{}", csv(&case["rows"])));
        let ended = volume.step(
            &forecast(json!({
                "algorithm": {"seasonalNaive": case["algorithm"]},
                "crossValidation": {"folds": case["folds"]},
                "gate": {"metric": "mase", "max": 1.0},
            })),
            &[],
        );
        ended.succeeds();
        let near = |found: f64, expected: &Value| (found - expected.as_f64().expect("a number")).abs() < 1e-9;
        let found = evaluation(&volume);
        for (metric, values) in case["metrics"].as_object().expect("metrics") {
            let measured = found["folds"]["metrics"][metric]["values"].as_array().expect("values");
            let values = values.as_array().expect("values");
            assert_eq!(measured.len(), values.len(), "{name} {metric}");
            for (found, expected) in measured.iter().zip(values) {
                assert!(
                    near(found.as_f64().expect("a number"), expected),
                    "{name} {metric}: {found} {expected}"
                );
            }
            let naive = found["naive"]["metrics"][metric].as_f64().expect("a number");
            assert!(near(naive, &case["naive"][metric]), "{name} {metric}: {naive}");
        }
        assert!((metric(&ended, "mase") - metric(&ended, "cvMaseMean")).abs() < 1e-15);
        let passed = ended.report.gate.as_ref().expect("a verdict").passed;
        assert_eq!(passed, metric(&ended, "mase") <= 1.0, "{name}");
        assert_eq!(found["naive"]["answers"], "the last number of the series");
        let wanted: String = csv(&case["forecasts"])
            .lines()
            .map(|line| line.rsplit_once(',').expect("columns").0.to_owned() + "\n")
            .collect();
        let answers = predicted(&volume, &format!("day,shop\n{wanted}"));
        let expected = case["forecasts"].as_array().expect("rows");
        assert_eq!(answers.len(), expected.len());
        for (found, row) in answers.iter().zip(expected) {
            assert!(near(*found, &row[2]), "{name}: {found} instead of {row}");
        }
    }
}

#[test]
fn what_a_forecast_does_is_reported_and_what_it_cannot_foresee_is_named_by_its_row() {
    let case = &cases()[0];
    let volume = with_data(&format!("day,shop,sold\n{}", csv(&case["rows"])));
    let ended = volume.step(&forecast(json!({})), &[]);
    ended.succeeds();
    let said =
        "each day is predicted from the one 7 days before, up to 7 days after the last of each of 2 series";
    assert!(ended.message().contains(said), "{}", ended.message());
    for (row, wrong) in [
        ("2024-03-01,north", "row 2 is not after the last day of its series"),
        ("2030-01-01,north", "the horizon is 7: train again with newer rows, or raise horizon"),
        ("2024-05-30,west", "row 2 is of a series that training did not see"),
    ] {
        let good = csv(&case["forecasts"]);
        let good = good.lines().next().and_then(|line| line.rsplit_once(',')).expect("a row").0;
        volume.put("new.csv", format!("day,shop\n{good}\n{row}\n"));
        volume.step(&score("file:new.csv", "csv"), &[]).fails(3, "WrongFeatures", &[wrong]);
    }
}

#[test]
fn what_cannot_be_forecast_is_refused_with_what_to_do() {
    let days: String = (1..=28).map(|day| format!("2024-01-{day:02},a,{day}\n")).collect();
    let table = format!("day,shop,sold\n{days}");
    for (data, fields, code, parts) in [
        (table.clone(), json!({"crossValidation": null}), 2, vec!["seasonalNaive needs crossValidation"]),
        (table.clone(), json!({"split": {"test": 0.2}}), 2, vec!["split does not go with seasonalNaive"]),
        (
            table.clone(),
            json!({"features": ["shop"]}),
            2,
            vec!["needs one that says when", "take one as date"],
        ),
        (
            table.replace(",a,", ",7.5,"),
            json!({}),
            2,
            vec!["\"shop\" is neither", "take it as category, or name features without it"],
        ),
        (
            format!("{table}2024-01-07,a,3\n"),
            json!({}),
            3,
            vec!["rows 7 and 29 are of the same second of one series", "GROUP BY"],
        ),
        (
            table.clone(),
            json!({"algorithm": {"seasonalNaive": {"interval": "week"}}}),
            3,
            vec!["rows 1 and 2 are of the same week of one series", "set interval to a shorter one"],
        ),
        (format!("{table},a,3\n"), json!({}), 3, vec!["row 29 lacks its time"]),
        (format!("{table}2024-02-01,a,\n"), json!({}), 3, vec!["row 29"]),
        (table.clone(), json!({"crossValidation": {"folds": 9}}), 3, vec!["lower folds or horizon"]),
        (
            table.clone(),
            json!({"algorithm": {"ridge": {}}, "gate": {"metric": "mase", "max": 1}}),
            2,
            vec!["gate.metric is mase, which measures forecasts"],
        ),
    ] {
        let volume = with_data(&data);
        let mut step = forecast(fields);
        let action = step["action"]["train"].as_object_mut().expect("fields");
        action.retain(|_, value| !value.is_null());
        let reason = if code == 2 { "WrongSpec" } else { "WrongData" };
        volume.step(&step, &[]).fails(code, reason, &parts);
    }
}
