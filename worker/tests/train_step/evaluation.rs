//! What is said of a model beside its metrics: importance, intervals, and the card.

use serde_json::{Value, json};

use crate::steps::{evaluation, iris, metric, published, train, with_data};
use crate::support::Volume;

fn card(volume: &Volume) -> String {
    std::fs::read_to_string(published(volume, "train").join("card.html")).expect("card.html")
}

/// The columns by importance, with how far the metric falls.
fn importance(found: &Value) -> Vec<(String, f64)> {
    let columns = found["importance"]["columns"].as_array().expect("columns").iter();
    columns
        .map(|column| {
            (column["column"].as_str().expect("a name").to_owned(), column["mean"].as_f64().expect("a mean"))
        })
        .collect()
}

/// Numbers that a colour and a size make, beside noise.
fn priced(rows: usize) -> String {
    let row = |row: usize| {
        let (size, noise) = (row * 7 % 50, row * 31 % 17);
        let (color, more) = [("red", 100), ("blue", 0), ("green", 40)][row % 3];
        format!("{size},{color},{noise},{}\n", size * 2 + more)
    };
    format!("size,color,noise,species\n{}", (0..rows).map(row).collect::<String>())
}

#[test]
fn a_column_of_numbers_but_for_a_few_texts_is_named_with_what_to_do() {
    let row = |row: usize| {
        format!("{},{},{}\n", row as f64 + 0.5, row % 7, if row.is_multiple_of(2) { "a" } else { "b" })
    };
    let rows: String = (0..100).map(row).collect();
    let volume = with_data(&format!("size,rooms,species\n{rows}NA,?,a\n"));
    let ended = volume.step(&train(json!({"split": {"test": 0.3}})), &[]);
    let message = ended.succeeds().message();
    for part in ["size has numbers but for \"NA\"", "rooms has numbers but for \"?\"", "reading.nullValues"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("an id, or free text"), "{message}");
}

#[test]
fn columns_that_say_the_target_by_themselves_and_ids_are_named() {
    let rows = |row: fn(i32) -> String| (0..120).map(row).collect::<String>();
    let of_classes = rows(|row| {
        let (id, amount) = (1000 + row * 37 % 120, row % 13 + 100 * (row % 2));
        format!("{},{id},{amount},{}\n", row * 7 % 30, if row % 2 == 0 { "a" } else { "b" })
    });
    let of_dates = rows(|row| {
        let ended = if row % 3 == 0 { format!("2024-05-{:02}", row % 28 + 1) } else { String::new() };
        format!("{},{ended},{}\n", row * 7 % 30, if row % 3 == 0 { "left" } else { "stayed" })
    });
    let of_numbers = rows(|row| {
        let y = [3.0, 1.0, 4.0, 1.5, 9.0, 2.5_f64][row as usize % 6];
        format!("{},c{},{},{y}\n", row * 7 % 30, row % 6, y.powi(9))
    });
    let regression = json!({"target": "y", "algorithm": {"ridge": {}}});
    for (data, fields, leaks, ids) in [
        (format!("x,id,amount,species\n{of_classes}"), json!({}), Some("amount"), Some("id")),
        (format!("x,ended,species\n{of_dates}"), json!({}), Some("ended"), None),
        (format!("x,code,power,y\n{of_numbers}"), regression, Some("code, power"), None),
        (iris(), json!({}), None, None),
    ] {
        let volume = with_data(&data);
        let ended = volume.step(&train(fields), &[]);
        let message = ended.succeeds().message();
        let named = |what: &str| message.split("; ").find_map(|sentence| sentence.strip_prefix(what));
        assert_eq!(named("make sure that it is known when predictions are made: "), leaks, "{message}");
        assert_eq!(named("leave it out unless its size says something: "), ids, "{message}");
    }
}

#[test]
fn importance_is_of_the_tables_columns_and_the_same_each_time() {
    let fields = json!({"algorithm": {"linearRegression": {}}, "split": {"test": 0.3}});
    let volume = with_data(&priced(300));
    let ended = volume.step(&train(fields.clone()), &[]);
    let message = ended.succeeds().message();
    assert!(message.contains("by how far r2 falls when it is shuffled: color"), "{message}");
    let found = evaluation(&volume);
    let columns = importance(&found);
    // A text column is one column, however many the model has of it.
    assert_eq!(columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["color", "size", "noise"]);
    assert!(columns[1].1 > 0.1 && columns[2].1.abs() < 1e-9, "{columns:?}");
    let again = with_data(&priced(300));
    again.step(&train(fields), &[]).succeeds();
    assert_eq!(evaluation(&again), found);
    assert_eq!(card(&again), card(&volume));
}

#[test]
fn importance_is_measured_on_rows_that_the_model_did_not_see_where_there_are_some() {
    for (fields, rows, on) in [
        (json!({"split": {"test": 0.2, "stratify": true}}), 30, "testRows"),
        (json!({"crossValidation": {"folds": 5}}), 30, "folds"),
        (json!({}), 150, "trainRows"),
    ] {
        let volume = with_data(&iris());
        volume.step(&train(fields), &[]).succeeds();
        let found = evaluation(&volume);
        assert_eq!((&found["measuredOn"], &found["importance"]["rows"]), (&json!(on), &json!(rows)));
        assert_eq!(
            found["intervals"].is_object(),
            on == "testRows",
            "only rows that were kept back say how sure it is"
        );
    }
}

#[test]
fn the_gates_metric_has_its_interval_in_the_report() {
    let volume = with_data(&iris());
    let fields = json!({"split": {"test": 0.2, "stratify": true}, "gate": {"metric": "logLoss", "max": 1.0}});
    let ended = volume.step(&train(fields), &[]);
    let (low, value, high) =
        (metric(ended.succeeds(), "logLossLow"), metric(&ended, "logLoss"), metric(&ended, "logLossHigh"));
    assert!(low < value && value < high, "{low} {value} {high}");
    assert!(metric(&ended, "naiveLogLoss") > 1.0);
    assert!(!ended.report.metrics.contains_key("accuracyLow"));
}

/// Rows of customers, twenty equal ones of each, whose class the feature says of four customers in five.
fn of_customers(customers: u32) -> String {
    let row = |row: u32| {
        let customer = row % customers;
        let class = if customer.is_multiple_of(2) != customer.is_multiple_of(5) { "a" } else { "b" };
        format!("{},c{customer},{class}\n", customer % 2)
    };
    (0..20 * customers).map(row).fold("x,customer,species\n".to_owned(), |rows, row| rows + &row)
}

#[test]
fn intervals_are_of_whole_groups_where_rows_have_groups() {
    let measured = |customers: u32, fields: Value| {
        let volume = with_data(&of_customers(customers));
        let ended = volume.step(&train(fields), &[]);
        ended.succeeds();
        let has_interval = ended.report.metrics.contains_key("accuracyLow");
        let width = has_interval.then(|| metric(&ended, "accuracyHigh") - metric(&ended, "accuracyLow"));
        (width, ended.message().to_owned(), evaluation(&volume)["intervals"].clone(), card(&volume))
    };
    let fields = json!({"features": ["x"], "split": {"test": 0.25}});
    let mut grouped = fields.clone();
    grouped["groupBy"] = json!("customer");
    let (of_rows, message, intervals, _) = measured(100, fields);
    assert!(!message.contains("groups") && intervals["groups"].is_null(), "{message}");
    let (of_groups, message, intervals, card) = measured(100, grouped.clone());
    assert_eq!(intervals["groups"], 25);
    let (of_groups, of_rows) = (of_groups.expect("an interval"), of_rows.expect("an interval"));
    assert!(of_groups > 3.0 * of_rows, "{of_groups} of groups, {of_rows} of rows");
    for text in [&message, &card] {
        assert!(text.contains("intervals are of draws of whole groups (groupBy)"), "{text}");
    }
    let (none, message, ..) = measured(10, grouped);
    assert!(none.is_none() && message.contains("fewer than 5 groups"), "{message}");
}

#[test]
fn hostile_names_in_data_are_text_on_the_card() {
    let hostile = "</style><script>alert(1)</script>";
    let rows: String =
        (0..40).map(|row| format!("{row},{}\n", if row < 20 { hostile } else { "b" })).collect();
    let volume = with_data(&format!("{hostile},species\n{rows}"));
    volume.step(&train(json!({"split": {"test": 0.5, "stratify": true}})), &[]).succeeds();
    let html = card(&volume);
    assert!(!html.contains("<script") && html.matches("</style>").count() == 1);
    assert!(html.matches("&lt;/style&gt;&lt;script&gt;alert(1)").count() >= 3);
}

#[test]
fn the_card_names_the_data_by_their_digest_and_not_by_their_place() {
    let prepared = crate::steps::step(
        "data",
        json!({"prepare": {"inputs": [{"name": "t", "source": {"uri": {"uri": "file:data.csv"}}}], "format": "parquet"}}),
    );
    let volume = with_data(&iris());
    let digest = volume.step(&prepared, &[]).succeeds().report.digest.clone().expect("a digest");
    let path =
        published(&volume, "data").strip_prefix(volume.path()).expect("below storage").display().to_string();
    volume.step(&train(json!({"data": {"artifact": {"path": path}}})), &[]).succeeds();
    let html = card(&volume);
    assert!(html.contains(digest.as_str()) && html.contains("data of step"), "{html}");
    assert!(!html.contains(&path) && !html.contains("ns/pipe"));
}

#[test]
fn the_card_says_which_rows_were_read_how_some_were_kept_back_and_which_parameters_hold() {
    let lineage = |html: &str, what: &str| {
        let after = html.split_once(&format!("<th>{what}</th><td class=\"code\">")).map(|(_, after)| after);
        after.and_then(|after| after.split('<').next()).unwrap_or_default().to_owned()
    };
    let of = |name: &str, content: &str| {
        let volume = with_data(&iris());
        volume.put(name, content);
        let fields = json!({
            "data": {"uri": {"uri": format!("file:{name}")}},
            "split": {"test": 0.2, "stratify": true, "seed": 3},
            "crossValidation": {"folds": 4, "seed": 5},
        });
        volume.step(&train(fields), &[]).succeeds();
        card(&volume)
    };
    let html = of("a.csv", &iris());
    let digest = lineage(&html, "rows, digest");
    assert_eq!(digest.len(), 64, "{html}");
    assert_eq!(lineage(&html, "rows kept back"), "0.2 of each class, shuffled, seed 3");
    assert_eq!(lineage(&html, "folds"), "4, seed 5");
    assert!(html.contains("<td>alpha</td><td>1 (default)</td>"), "{html}");
    // The same rows in other words, and others.
    let same = of("b.csv", &iris().replace("setosa", "\"setosa\""));
    assert_eq!(lineage(&same, "rows, digest"), digest);
    let other = of("a.csv", &iris().replacen("5.1", "5.2", 1));
    assert_ne!(lineage(&other, "rows, digest"), digest);
}

#[test]
fn a_model_of_a_quantile_is_measured_by_its_pinball_loss_beside_that_quantile() {
    let rows: String = (0..400).map(|row| format!("{},{}\n", row % 20, row % 20 + (row * 7) % 10)).collect();
    let volume = with_data(&format!("a,species\n{rows}"));
    let ended = volume.step(
        &train(json!({
            "algorithm": {"gradientBoosting": {"task": "regression", "loss": "quantile", "quantile": 0.9, "minSamplesLeaf": 5}},
            "split": {"test": 0.25}, "gate": {"metric": "pinball", "max": 1.0},
        })),
        &[],
    );
    let report = &ended.succeeds().report;
    assert!(report.gate.as_ref().is_some_and(|verdict| verdict.passed), "{report:?}");
    assert!(report.metrics["pinball"] < 0.5 * report.metrics["naivePinball"], "{report:?}");
    assert_eq!(evaluation(&volume)["naive"]["answers"], "the 0.9 quantile");
}

#[test]
fn a_learning_curve_ends_with_the_model_and_each_of_its_points_is_what_that_many_rows_give() {
    let volume = with_data(&iris());
    let split = json!({"test": 0.2, "stratify": true, "seed": 3});
    volume.step(&train(json!({"split": split, "learningCurve": true})), &[]).succeeds();
    let found = evaluation(&volume);
    let points = found["learningCurve"]["points"].as_array().expect("points").clone();
    let rows: Vec<u64> = points.iter().filter_map(|point| point["rows"].as_u64()).collect();
    assert_eq!(rows, [12, 30, 60, 90, 120]);
    assert_eq!(points[4]["test"], found["metrics"]["accuracy"]);
    assert_eq!(found["learningCurve"]["metric"], "accuracy");
    let card = std::fs::read_to_string(published(&volume, "train").join("card.html")).expect("card.html");
    assert!(card.contains("Whether more rows would help"));

    // The model is the same as without it.
    let without = with_data(&iris());
    without.step(&train(json!({"split": split})), &[]).succeeds();
    let model = |volume: &crate::support::Volume| {
        std::fs::read(published(volume, "train").join("model.json")).expect("model.json")
    };
    assert_eq!(model(&volume), model(&without));
    assert_eq!(evaluation(&without)["learningCurve"], serde_json::Value::Null);

    let refused = with_data(&iris()).step(&train(json!({"learningCurve": true})), &[]);
    refused.fails(2, "WrongSpec", &["learningCurve needs target and split"]);
}
