//! What a train step publishes and reports.

use serde_json::{Value, json};

use crate::steps::{evaluation, iris, metric, published, score, train, with_data};

#[test]
fn iris_is_learnt_measured_and_published_and_a_second_run_reuses_it() {
    let volume = with_data(&iris());
    let spec = train(json!({
        "split": {"test": 0.2, "stratify": true, "seed": 42},
        "crossValidation": {"folds": 5},
        "gate": {"metric": "accuracy", "min": 0.9},
    }));
    let ended = volume.step(&spec, &[]);
    ended.succeeds();
    assert_eq!((metric(&ended, "trainRows"), metric(&ended, "testRows")), (120.0, 30.0));
    assert!(metric(&ended, "accuracy") >= 0.9);
    assert!(metric(&ended, "cvAccuracyMean") > 0.93 && metric(&ended, "cvAccuracyStd") < 0.1);
    assert!(ended.report.gate.as_ref().expect("a verdict").passed);
    assert_eq!(ended.report.rows, Some(120));
    let found = evaluation(&volume);
    assert_eq!(
        (&found["format"], &found["measuredOn"]),
        (&json!("mlpipeline.dev/metrics"), &json!("testRows"))
    );
    for name in ["accuracy", "rocAuc", "averagePrecision", "logLoss", "brierScore", "calibrationError"] {
        assert_eq!(found["metrics"][name], metric(&ended, name), "{name}");
    }
    // Three classes of ten rows each: a model that knows only the target is right in ten of thirty.
    assert_eq!(found["naive"]["metrics"]["accuracy"], metric(&ended, "naiveAccuracy"));
    assert_eq!(found["naive"]["metrics"]["rocAuc"], 0.5);
    assert!((metric(&ended, "naiveAccuracy") - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(found["folds"]["metrics"]["accuracy"]["values"].as_array().expect("folds").len(), 5);
    assert_eq!(found["classes"]["classes"][0]["label"], "setosa");
    let again = volume.step(&spec, &[]);
    assert!(again.succeeds().report.reused);
    assert_eq!(again.report.metrics, ended.report.metrics);
    // On another volume, the same step gives the same bytes.
    let other = with_data(&iris());
    // The gate judges a model; nothing in the artifact depends on it.
    let mut spec = spec;
    spec["action"]["train"]["gate"] = json!({"metric": "rocAuc", "min": 0.99});
    other.step(&spec, &[]).succeeds();
    for name in ["model.json", "metrics.json"] {
        let bytes = |volume| std::fs::read(published(volume, "train").join(name)).expect("a file");
        assert_eq!(bytes(&volume), bytes(&other), "{name}");
    }
}

#[test]
fn a_refused_model_is_published_with_the_verdict() {
    let volume = with_data(&iris());
    let ended = volume.step(&train(json!({"gate": {"metric": "accuracy", "min": 1.1}})), &[]);
    ended.succeeds();
    let verdict = ended.report.gate.as_ref().expect("a verdict");
    assert!(!verdict.passed && verdict.message.contains("below the gate's min 1.1"), "{verdict:?}");
    assert!(ended.message().contains("metrics are of the rows that the model learnt from"), "{ended:?}");
    assert!(published(&volume, "train").join("model.json").exists());
}

#[test]
fn without_a_test_split_the_metrics_are_those_of_cross_validation() {
    let volume = with_data(&iris());
    let ended = volume.step(&train(json!({"crossValidation": {"folds": 5, "seed": 7}})), &[]);
    ended.succeeds();
    assert_eq!(metric(&ended, "accuracy"), metric(&ended, "cvAccuracyMean"));
    assert_eq!((metric(&ended, "trainRows"), metric(&ended, "testRows")), (150.0, 0.0));
}

#[test]
fn no_gate_passes_where_a_class_has_no_test_row() {
    let mut rows = "x,species\n".to_owned();
    for row in 0..40 {
        rows += &format!("{row},{}\n", if row < 20 { "a" } else { "b" });
    }
    rows += "99,rare\n";
    let volume = with_data(&rows);
    let ended = volume.step(
        &train(json!({
            "features": ["x"], "split": {"test": 0.2, "seed": 1}, "gate": {"metric": "accuracy", "min": 0.0},
        })),
        &[],
    );
    let verdict = ended.succeeds().report.gate.clone().expect("a verdict");
    assert!(!verdict.passed && verdict.message.contains("1 of the classes has no row"), "{verdict:?}");
    assert!(ended.message().contains("no test row has the class rare"), "{}", ended.message());
}

#[test]
fn a_constant_target_is_learnt_and_r2_is_not_measured() {
    let volume = with_data("x,y\n1,2\n2,2\n3,2\n");
    let ended = volume.step(&train(json!({"target": "y", "algorithm": {"linearRegression": {}}})), &[]);
    ended.succeeds();
    assert_eq!(metric(&ended, "rmse"), 0.0);
    assert!(!ended.report.metrics.contains_key("r2"));
    assert!(ended.message().contains("r2 is not measured"), "{}", ended.message());
}

#[test]
fn a_gate_judges_by_any_metric_and_never_passes_on_one_that_is_undefined() {
    let rows: String = (0..40).map(|row| format!("{},{}\n", row % 10, row % 10)).collect();
    let constant: String = (0..40).map(|row| format!("{row},7\n")).collect();
    let tenths: String = (0..40).map(|row| format!("{row},0.1\n")).collect();
    let linear = json!({"linearRegression": {}});
    let split = json!({"test": 0.25});
    for (data, gate, passes, part) in [
        (
            &rows,
            json!({"metric": "medianAbsoluteError", "max": 0.1}),
            true,
            "medianAbsoluteError 0.0000 passed",
        ),
        (&rows, json!({"metric": "medianAbsoluteError", "max": -1.0}), false, "above the gate's max"),
        (&constant, json!({"metric": "r2", "min": -100.0}), false, "r2 was not measured"),
        // The mean of tenths is not a tenth.
        (&tenths, json!({"metric": "r2", "min": 0.9}), false, "r2 was not measured"),
    ] {
        let volume = with_data(&format!("x,species\n{data}"));
        let ended = volume.step(&train(json!({"algorithm": linear, "split": split, "gate": gate})), &[]);
        let verdict = ended.succeeds().report.gate.as_ref().expect("a verdict");
        assert_eq!(verdict.passed, passes, "{verdict:?}");
        assert!(verdict.message.contains(part), "{verdict:?}");
    }
}

#[test]
fn a_model_that_does_not_beat_one_that_knows_only_the_target_is_noted() {
    // The feature says nothing of the class.
    let rows: String =
        (0..60).map(|row| format!("{},{}\n", row % 2, if row % 3 == 0 { "rare" } else { "often" })).collect();
    let volume = with_data(&format!("x,species\n{rows}"));
    let ended = volume.step(&train(json!({"split": {"test": 0.5, "stratify": true}})), &[]);
    let message = ended.succeeds().message();
    assert!(message.contains("accuracy 0.6667 does not beat the naive baseline's 0.6667"), "{message}");
    let volume = with_data(&iris());
    let ended = volume.step(&train(json!({"split": {"test": 0.5, "stratify": true}})), &[]);
    assert!(!ended.succeeds().report.message.as_deref().unwrap_or_default().contains("naive baseline"));
}

#[test]
fn classes_that_are_distinguished_without_a_penalty_are_noted_as_weights_without_limit() {
    let rows = |wrong: i32| -> String {
        let class = |row: i32| if (row < 20) == (row != wrong) { "a" } else { "b" };
        (0..40).map(|row| format!("{row},{}\n", class(row))).collect()
    };
    for (parameters, wrong, is_noted) in [
        (json!({"penalty": "none"}), -1, true),
        (json!({"alpha": 0.0}), -1, true),
        (json!({"alpha": 0.0}), 5, false),
        (json!({}), -1, false),
    ] {
        let volume = with_data(&format!("x,species\n{}", rows(wrong)));
        let ended = volume.step(&train(json!({"algorithm": {"logisticRegression": parameters}})), &[]);
        let message = ended.succeeds().message();
        assert_eq!(message.contains("weights have no limit"), is_noted, "{parameters}: {message}");
    }
}

#[test]
fn columns_whose_weights_have_no_limit_without_a_penalty_are_named_with_what_to_do() {
    // Rows of a color, a flag, a number and a missing size; the class has nothing to do with the number.
    let data = |only: bool| -> String {
        let row = |row: usize| {
            let is_yes = row.is_multiple_of(3) || row.is_multiple_of(7);
            let color =
                if only && is_yes && row.is_multiple_of(2) { "red" } else { ["blue", "green"][row % 2] };
            let flag = u8::from(if only { !is_yes && row % 5 == 1 } else { row % 5 == 1 });
            let size = if row % 4 == 1 { String::new() } else { (row % 11).to_string() };
            let (class, count) = if is_yes { ("yes", 0) } else { ("no", 1 + row % 3) };
            format!("{color},{flag},{},{size},{class},{count}\n", row * 37 % 41)
        };
        format!("color,flag,x,size,class,count\n{}", (0..120).map(row).collect::<String>())
    };
    let class =
        |parameters: Value| json!({"target": "class", "algorithm": {"logisticRegression": parameters}});
    let count =
        |parameters: Value| json!({"target": "count", "algorithm": {"poissonRegression": parameters}});
    for (step, only, named) in [
        (
            class(json!({"penalty": "none", "maxIterations": 1000})),
            true,
            Some("color = blue, color = red, flag;"),
        ),
        (class(json!({"alpha": 0.0, "maxIterations": 1000})), true, Some("color = blue, color = red, flag;")),
        (class(json!({"penalty": "none", "maxIterations": 1000})), false, None),
        (class(json!({})), true, None),
        (class(json!({"penalty": "l1"})), true, None),
        (count(json!({"alpha": 0.0, "maxIterations": 1000})), true, Some("color = red;")),
        (count(json!({"alpha": 0.0, "maxIterations": 1000})), false, None),
        (count(json!({})), true, None),
    ] {
        let volume = with_data(&data(only));
        let mut fields = step.clone();
        fields["features"] = json!(["color", "flag", "x", "size"]);
        let ended = volume.step(&train(fields), &[]);
        let message = ended.succeeds().message();
        assert_eq!(message.contains("weights have no limit"), named.is_some(), "{step}: {message}");
        if let Some(named) = named {
            assert!(
                message.contains(&format!("its values: {named}"))
                    || message.contains(&format!("these columns: {named}")),
                "{message}"
            );
            assert!(message.contains("alpha above 0, put such a category together with others"), "{message}");
        }
    }
}

#[test]
fn products_of_columns_are_learnt_from_and_travel_with_the_model() {
    let rows: String = (0..60)
        .map(|row| (row % 7, row % 11))
        .map(|(a, b)| format!("{a},{b},{}\n", 3 * a * b - a + 2))
        .collect();
    let volume = with_data(&format!("a,b,y\n{rows}"));
    let fields = json!({"target": "y", "algorithm": {"linearRegression": {}}, "split": {"test": 0.3}});
    let without = volume.step(&train(fields.clone()), &[]);
    without.succeeds();
    assert!(metric(&without, "r2") < 0.99, "a sum of both columns is not enough");
    let mut fields = fields;
    fields["interactions"] = json!([{"columns": ["a", "b"]}]);
    let volume = with_data(&format!("a,b,y\n{rows}"));
    let ended = volume.step(&train(fields), &[]);
    ended.succeeds();
    assert!(metric(&ended, "r2") > 1.0 - 1e-12);
    assert!(ended.message().contains("learnt from as products too: a × b"), "{}", ended.message());
    volume.put("new.csv", "a,b\n10,-4\n");
    volume.step(&score("file:new.csv", "csv"), &[]).succeeds();
    let scored = std::fs::read_to_string(published(&volume, "score").join("data.csv")).expect("predictions");
    let predicted = scored.lines().nth(1).and_then(|line| line.rsplit(',').next()).expect("a row");
    let predicted: f64 = predicted.parse().expect("a number");
    assert!((predicted + 128.0).abs() < 1e-9, "{scored}");
}

/// Rows whose class a small column tells, beside a large one that tells nothing.
fn of_two_sizes() -> String {
    let row = |row: u32| {
        let (share, noise) = (f64::from(row * 37 % 100) / 100.0, row * 7919 % 100_003);
        format!("{share},{noise},{}\n", if share < 0.5 { "low" } else { "high" })
    };
    (0..300).map(row).collect()
}

#[test]
fn a_scaled_column_counts_like_the_others_and_the_scale_travels_with_the_model() {
    let rows = of_two_sizes();
    let fields =
        json!({"algorithm": {"kNeighbors": {}}, "split": {"test": 0.3}, "crossValidation": {"folds": 3}});
    let volume = with_data(&format!("share,noise,species\n{rows}"));
    let without = volume.step(&train(fields.clone()), &[]);
    let message = without.succeeds().message();
    assert!(metric(&without, "accuracy") < 0.8, "{message}");
    let advice = "times as much as share, and kNeighbors compares distances, which noise decides nearly alone; set scale: standard";
    assert!(message.contains(advice), "{message}");
    let before = published(&volume, "train").join("model.json");
    let before: Value = serde_json::from_slice(&std::fs::read(before).expect("a model")).expect("JSON");
    assert_eq!(
        (&before["version"], before.get("scales")),
        (&json!(2), None),
        "as an earlier worker wrote it"
    );
    for scale in ["standard", "minMax"] {
        let mut fields = fields.clone();
        fields["scale"] = json!(scale);
        let volume = with_data(&format!("share,noise,species\n{rows}"));
        let ended = volume.step(&train(fields), &[]);
        let message = ended.succeeds().message();
        assert!(
            metric(&ended, "accuracy") > 0.9 && metric(&ended, "cvAccuracyMean") > 0.85,
            "{scale}: {message}"
        );
        assert!(message.contains("scaled") && message.contains(": share, noise"), "{message}");
        assert!(!message.contains("set scale"), "{message}");
        let card = std::fs::read_to_string(published(&volume, "train").join("card.html")).expect("a card");
        assert!(card.contains("number, scaled "), "{card}");
        let file = published(&volume, "train").join("model.json");
        let file: Value = serde_json::from_slice(&std::fs::read(file).expect("a model")).expect("JSON");
        assert_eq!((&file["version"], file["scales"].as_array().expect("scales").len()), (&json!(3), 2));
        // Raw rows are answered as they were in training.
        volume.put("new.csv", format!("share,noise\n0.1,99999\n0.9,1\n0.05,{}\n", 50_000));
        volume.step(&score("file:new.csv", "csv"), &[]).succeeds();
        let scored = std::fs::read_to_string(published(&volume, "score").join("data.csv")).expect("rows");
        let predicted: Vec<&str> = scored.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
        assert_eq!(predicted, ["low", "high", "low"], "{scored}");
    }
}

#[test]
fn scoring_the_rows_that_were_measured_gives_what_the_evaluation_says() {
    let rows = of_two_sizes();
    let volume = with_data(&format!("share,noise,species\n{rows}"));
    let fields = json!({
        "algorithm": {"kNeighbors": {}}, "scale": "standard", "columns": [{"name": "noise", "scale": "minMax"}],
    });
    // Without rows kept back, all are measured, and all are scored.
    let ended = volume.step(&train(fields), &[]);
    ended.succeeds();
    volume.put("new.csv", format!("share,noise,species\n{rows}"));
    volume.step(&score("file:new.csv", "csv"), &[]).succeeds();
    let scored = std::fs::read_to_string(published(&volume, "score").join("data.csv")).expect("rows");
    let cells = scored.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let right = cells.filter(|cells| cells[2] == cells[3]).count();
    assert_eq!(right as f64, (metric(&ended, "accuracy") * 300.0).round());
}

#[test]
fn columns_of_very_different_size_are_noted_where_an_algorithm_sees_sizes() {
    let rows = format!("share,noise,species\n{}", of_two_sizes());
    let none = json!(null);
    for (algorithm, target, fields, noted) in [
        (
            json!({"linearSvm": {}}),
            json!("species"),
            json!({}),
            "the penalty of linearSvm falls on the weight of share",
        ),
        (json!({"ridge": {}}), json!("noise"), json!({}), ""),
        (json!({"decisionTree": {}}), json!("species"), json!({}), ""),
        (
            json!({"pca": {}}),
            none.clone(),
            json!({"columns": [{"name": "species", "as": "ignore"}]}),
            "pca looks for what varies most",
        ),
        (json!({"pca": {}}), none.clone(), json!({"scale": "minMax"}), ""),
        (json!({"kMeans": {}}), none, json!({"columns": [{"name": "noise", "scale": "standard"}]}), ""),
    ] {
        let volume = with_data(&rows);
        let mut fields = fields;
        (fields["algorithm"], fields["target"]) = (algorithm.clone(), target);
        let ended = volume.step(&train(fields), &[]);
        let message = ended.succeeds().message();
        let advice = "noise varies about ";
        assert_eq!(message.contains(advice), !noted.is_empty(), "{algorithm}: {message}");
        assert!(message.contains(noted), "{algorithm}: {message}");
    }
}
