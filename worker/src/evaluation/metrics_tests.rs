use mlpipeline_crds::Predicts;
use ndarray::Array1;
use serde_json::Value;

use super::super::{ClassOutcomes, Confusion, Curves, Details, NumberOutcomes};
use super::*;

/// What scikit-learn answers; see tests/reference/metrics_fixtures.py.
fn fixture() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/metrics.json")).expect("a fixture")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn pairs(value: &Value) -> Vec<(f64, f64)> {
    value.as_array().expect("a list").iter().map(list).map(|pair| (pair[0], pair[1])).collect()
}

/// The rows of a case of classes, with the likeliest one as the prediction.
fn classes(case: &Value) -> Outcomes {
    let rows: Vec<Vec<f64>> = case["probabilities"].as_array().expect("rows").iter().map(list).collect();
    let mut outcomes = ClassOutcomes::new(rows[0].len(), rows.len());
    for (row, class) in rows.into_iter().zip(list(&case["classes"])) {
        // The first of equals, as the worker's predictors have it.
        let best = (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        outcomes.push(class as usize, best, Array1::from(row).view());
    }
    Outcomes::Classes(outcomes)
}

fn numbers(case: &Value) -> Outcomes {
    let mut outcomes = NumberOutcomes::of_quantile(case["quantile"].as_f64());
    for (actual, predicted) in list(&case["numbers"]).into_iter().zip(list(&case["predictions"])) {
        outcomes.push(actual, predicted);
    }
    Outcomes::Numbers(outcomes)
}

#[track_caller]
fn assert_close(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{what}: {found} instead of {expected}"
    );
}

#[track_caller]
fn assert_all_close(what: &str, found: &[(f64, f64)], expected: &[(f64, f64)]) {
    assert_eq!(found.len(), expected.len(), "{what}: {found:?} instead of {expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_close(what, found.0, expected.0);
        assert_close(what, found.1, expected.1);
    }
}

/// Exactly the metrics that scikit-learn defines for these rows, with its values.
#[track_caller]
fn assert_metrics(name: &str, outcomes: &Outcomes, expected: &Value) {
    let (found, expected) = (outcomes.metrics(), expected.as_object().expect("metrics"));
    assert!(found.keys().eq(expected.keys()), "{name}: {found:?} instead of {expected:?}");
    for (metric, expected) in expected {
        assert_close(&format!("{name}, {metric}"), found[metric], expected.as_f64().expect("a number"));
    }
}

#[test]
fn the_r2_of_a_constant_target_is_undefined_whatever_rounding_makes_of_its_mean() {
    // 0.1 + 0.1 + 0.1 is 0.30000000000000004: scikit-learn's r2_score of three times 0.1, predicted exactly, is 1, and of 0.2 beside
    // it, it is -5.2e31.
    for (target, count) in [(7.0, 3), (0.1, 3), (0.1, 10), (1e-300, 7), (-1.1, 6)] {
        for predicted in [target, 2.0 * target] {
            let mut outcomes = NumberOutcomes::default();
            (0..count).for_each(|_| outcomes.push(target, predicted));
            let found = Outcomes::Numbers(outcomes).metrics();
            assert!(!found.contains_key("r2") && found.contains_key("rmse"), "{target}: {found:?}");
        }
    }
}

#[test]
fn every_metric_is_scikit_learns() {
    let fixture = fixture();
    let mut seen = std::collections::BTreeSet::new();
    for (kind, outcomes) in [("classification", classes as fn(&Value) -> Outcomes), ("regression", numbers)] {
        for (name, case) in fixture[kind].as_object().expect("cases") {
            assert_metrics(name, &outcomes(case), &case["metrics"]);
            seen.extend(case["metrics"].as_object().expect("metrics").keys().cloned());
        }
    }
    // Those without a target, and the one of forecasts, are compared where rows are known.
    let of_targets =
        Metric::ALL.iter().filter(|metric| metric.measures().needs_target() && **metric != Metric::Mase);
    let all: std::collections::BTreeSet<String> = of_targets.map(|metric| metric.name().to_owned()).collect();
    assert_eq!(seen, all, "each metric is compared in some case");
}

#[test]
fn an_error_of_a_forecast_is_a_share_of_what_its_series_changes_by() {
    let mut numbers = NumberOutcomes::default();
    for (actual, predicted) in [(1.0, 2.0), (5.0, 2.0), (7.0, 0.0), (1.0, 1.5)] {
        numbers.push(actual, predicted);
    }
    let mase = |outcomes: &Outcomes| outcomes.metrics().get("mase").copied();
    assert_eq!(mase(&Outcomes::Numbers(numbers.clone())), None, "no forecast");
    // A series that never changes, and one of a single row, have nothing to divide by.
    let scaled = Outcomes::Numbers(numbers.clone().scaled_by(vec![2.0, 2.0, 0.0, f64::NAN]));
    assert_eq!(mase(&scaled), Some(1.0));
    assert_eq!(mase(&scaled.select(&[1, 1])), Some(1.5), "drawn rows keep what they are divided by");
    let mut joined = scaled.select(&[0]);
    joined.append(scaled.select(&[1]));
    assert_eq!(mase(&joined), Some(1.0));
    assert_eq!(mase(&Outcomes::Numbers(numbers.scaled_by(vec![0.0; 4]))), None);
}

#[test]
fn classes_confusion_and_curves_are_scikit_learns() {
    for (name, case) in fixture()["classification"].as_object().expect("cases") {
        let labels: Vec<String> =
            (0..list(&case["probabilities"][0]).len()).map(|class| class.to_string()).collect();
        let Details::Classes(details) = Details::of(&classes(case), &labels) else {
            panic!("{name}: classes")
        };
        let expected = &case["details"];
        for (class, row) in details.classes.iter().enumerate() {
            for (part, found) in [("precision", row.precision), ("recall", row.recall), ("f1", row.f1)] {
                assert_close(&format!("{name}, {part} of {class}"), found, list(&expected[part])[class]);
            }
        }
        let Confusion::Matrix(matrix) = &details.confusion else { panic!("{name}: a matrix") };
        assert_eq!(serde_json::json!(matrix), expected["confusion"], "{name}");
        for curves in &details.curves {
            let what = format!("{name}, curves of {}", curves.label);
            let Curves { roc, precision_recall, calibration, .. } = curves;
            let expected = &expected["curves"][&curves.label];
            if expected.is_null() {
                assert!(roc.is_empty() && curves.roc_auc.is_none(), "{what}: nothing to rank against");
                continue;
            }
            assert_all_close(&what, roc, &pairs(&expected["roc"]));
            assert_all_close(&what, precision_recall, &pairs(&expected["precisionRecall"]));
            let bins: Vec<_> = calibration.iter().map(|bin| (bin.predicted, bin.share)).collect();
            assert_all_close(&what, &bins, &pairs(&expected["calibration"]));
        }
    }
}

#[test]
fn of_a_constant_target_r2_is_not_measured() {
    let mut outcomes = NumberOutcomes::default();
    (0..3).for_each(|_| outcomes.push(2.0, 0.0));
    let found = Outcomes::Numbers(outcomes).metrics();
    assert!(!found.contains_key("r2"));
    assert_eq!((found["mae"], found["rmse"], found["mape"]), (2.0, 2.0, 1.0));
}

#[test]
fn a_class_that_the_rows_do_not_know_is_never_right() {
    let mut outcomes = ClassOutcomes::new(2, 4);
    for (actual, predicted) in [(0, 0), (0, 2), (1, 7), (1, 1)] {
        outcomes.push(actual, predicted, Array1::zeros(2).view());
    }
    let found = Outcomes::Classes(outcomes).metrics();
    assert_eq!((found["accuracy"], found["rocAuc"]), (0.5, 0.5));
    assert!(found["logLoss"].is_finite());
}

#[test]
fn no_rows_have_no_metrics() {
    for outcomes in
        [Outcomes::Classes(ClassOutcomes::new(3, 0)), Outcomes::Numbers(NumberOutcomes::default())]
    {
        assert!(outcomes.is_empty() && outcomes.metrics().is_empty());
    }
}

#[test]
fn with_too_many_scores_only_what_ranks_rows_is_not_measured() {
    let case = fixture()["classification"]["three"].clone();
    let Outcomes::Classes(whole) = classes(&case) else { panic!("classes") };
    let mut bounded = ClassOutcomes::bounded(3, whole.actual.len(), 10);
    let rows = case["probabilities"].as_array().expect("rows").iter().map(list);
    for (row, probabilities) in rows.enumerate() {
        let (actual, predicted) = (whole.actual[row] as usize, whole.predicted[row] as usize);
        bounded.push(actual, predicted, Array1::from(probabilities).view());
    }
    let mut expected = Outcomes::Classes(whole).metrics();
    expected.retain(|name, _| !["rocAuc", "averagePrecision"].contains(&name.as_str()));
    assert_eq!(Outcomes::Classes(bounded).metrics(), expected);
}

#[test]
fn rows_can_be_drawn_and_joined() {
    let fixture = fixture();
    for whole in [classes(&fixture["classification"]["three"]), numbers(&fixture["regression"]["plain"])] {
        let rows: Vec<u32> = (0..whole.len() as u32).collect();
        let (first, second) = rows.split_at(7);
        let mut joined = whole.select(first);
        joined.append(whole.select(second));
        assert_eq!(joined.metrics(), whole.metrics());
        assert_eq!(whole.select(&[3, 3, 3]).len(), 3);
        let classes = whole
            .metrics_where(|metric| metric == Metric::Accuracy || metric.measures() == Predicts::Numbers);
        assert!(classes.len() < whole.metrics().len() || classes.contains_key("r2"));
    }
}

#[test]
fn the_pinball_loss_is_scikit_learns_and_of_models_of_a_quantile_alone() {
    for (predicted, quantile, expected) in
        [([0.0, 2.0, 3.0], 0.1, 0.1 / 3.0), ([1.0, 2.0, 4.0], 0.1, 0.3), ([1.0, 2.0, 4.0], 0.9, 0.1 / 3.0)]
    {
        let mut outcomes = NumberOutcomes::of_quantile(Some(quantile));
        [1.0, 2.0, 3.0]
            .into_iter()
            .zip(predicted)
            .for_each(|(actual, predicted)| outcomes.push(actual, predicted));
        let outcomes = Outcomes::Numbers(outcomes);
        assert!((outcomes.metrics()["pinball"] - expected).abs() < 1e-12);
        assert!((outcomes.select(&[0, 1, 2]).metrics()["pinball"] - expected).abs() < 1e-12);
    }
    let mut mean = NumberOutcomes::default();
    mean.push(1.0, 2.0);
    assert!(!Outcomes::Numbers(mean).metrics().contains_key("pinball"));
}
