use mlpipeline_crds::Metric;
use ndarray::Array1;

use super::*;
use crate::evaluation::{
    ClassOutcomes, ColumnImportance, Details, FindingOutcomes, Importance, Interval, Intervals, MeasuredOn,
    Metrics, Naive, NumberOutcomes, Outcomes,
};

fn evaluation(outcomes: &Outcomes, labels: &[String]) -> Evaluation {
    let metrics = outcomes.metrics();
    let (low, high) = (0.25, 0.75);
    let intervals = metrics.keys().map(|name| (name.clone(), Interval { low, high })).collect();
    Evaluation {
        measured_on: MeasuredOn::TestRows,
        train_rows: 1200,
        test_rows: 300,
        naive: Some(Naive {
            answers: "the most frequent class".to_owned(),
            metrics: Metrics::from([("accuracy".to_owned(), 0.5)]),
        }),
        intervals: Some(Intervals { level: 0.95, repeats: 400, rows: 300, groups: None, metrics: intervals }),
        folds: None,
        tuning: None,
        learning_curve: None,
        untested_classes: Vec::new(),
        importance: Some(Importance {
            metric: "accuracy",
            rows: 300,
            repeats: 5,
            columns: vec![ColumnImportance { column: HOSTILE.to_owned(), mean: 0.3, std: 0.01 }],
        }),
        details: Details::of(outcomes, labels),
        metrics,
    }
}

/// A name that means something in each place of HTML.
const HOSTILE: &str = "</style></svg>\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;";

fn classes(labels: &[String]) -> Evaluation {
    let mut outcomes = ClassOutcomes::new(labels.len(), 300);
    for row in 0..300 {
        let (class, predicted) = (row % labels.len(), if row % 7 == 0 { 0 } else { row % labels.len() });
        let mut probabilities = Array1::from_elem(labels.len(), 0.1);
        probabilities[predicted] = 0.5 + (row % 50) as f64 / 100.0;
        outcomes.push(class, predicted, probabilities.view());
    }
    evaluation(&Outcomes::Classes(outcomes), labels)
}

fn card<'a>(evaluation: &'a Evaluation, name: &'a str, notes: &'a [String]) -> Card<'a> {
    Card {
        target: name,
        algorithm: "logisticRegression",
        parameters: vec![("alpha".to_owned(), name.to_owned())],
        evaluation,
        columns: vec![CardColumn {
            name: name.to_owned(),
            taken_as: "category".to_owned(),
            missing: 3,
            values: name.to_owned(),
        }],
        notes,
        lineage: vec![("data of step", name.to_owned())],
    }
}

#[test]
fn names_from_data_are_text_wherever_they_stand_and_nothing_is_loaded_or_run() {
    let labels = [HOSTILE.to_owned(), "plain".to_owned(), "other".to_owned()];
    let mut found = classes(&labels);
    found.untested_classes = vec![HOSTILE.to_owned()];
    let notes = [HOSTILE.to_owned()];
    let html = card(&found, HOSTILE, &notes).to_html();
    for forbidden in
        ["<script", "<img", "<link", "<iframe", "<object", "<a ", "@import", "url(", "http:", "https:"]
    {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(html.contains("&lt;script&gt;alert(1)"));
    assert!(html.contains("default-src 'none'"));
    // Every drawing is closed: each that opens ends.
    for tag in ["svg", "table", "section", "figure", "tr", "td", "ul"] {
        assert_eq!(
            html.matches(&format!("<{tag}")).count(),
            html.matches(&format!("</{tag}>")).count(),
            "{tag}"
        );
    }
}

#[test]
fn a_classifiers_card_has_its_metrics_confusion_and_curves() {
    let labels = ["no".to_owned(), "yes".to_owned()];
    let html = card(&classes(&labels), "churn", &[]).to_html();
    for part in [
        "naive baseline",
        "95 % interval",
        "rocAuc",
        "ROC curves",
        "precision-recall curves",
        "calibration curves",
        "actual",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // Of two classes, the curves are of the second.
    assert_eq!(html.matches("<svg").count(), 3);
    assert!(html.contains("1\u{2009}200"));
}

#[test]
fn a_regressions_card_has_its_errors() {
    let mut outcomes = NumberOutcomes::default();
    (0..2000).for_each(|row| outcomes.push(f64::from(row), f64::from(row) * 1.1 - 3.0));
    let found = evaluation(&Outcomes::Numbers(outcomes), &[]);
    let html = card(&found, "price", &[]).to_html();
    assert_eq!(html.matches("<svg").count(), 2);
    assert!(html.matches("<circle").count() <= 1000 && html.len() < 200_000, "{}", html.len());
    // Nothing varies: there still is a frame.
    let mut constant = NumberOutcomes::default();
    (0..3).for_each(|_| constant.push(7.0, 7.0));
    let html = card(&evaluation(&Outcomes::Numbers(constant), &[]), "price", &[]).to_html();
    assert!(!html.contains("NaN") && !html.contains("inf"));
}

#[test]
fn many_classes_make_a_page_of_bounded_size() {
    let labels: Vec<String> = (0..1000).map(|class| format!("class {class}")).collect();
    let html = card(&classes(&labels), "many", &[]).to_html();
    assert!(html.len() < 200_000, "{}", html.len());
    assert!(html.contains("more in metrics.json"));
}

#[test]
fn trials_are_listed_the_best_first_and_failures_say_why() {
    use mlpipeline_crds::{Metric, Search, Trial};
    let trial = |value: Option<f64>, failure: Option<&str>| Trial {
        parameters: [
            ("alpha".to_owned(), serde_json::json!(0.125)),
            ("penalty".to_owned(), serde_json::json!(HOSTILE)),
        ]
        .into(),
        value,
        std: value.map(|_| 0.01),
        rows: 1200,
        failure: failure.map(str::to_owned),
    };
    let mut trials = vec![trial(Some(0.875), None); 59];
    trials.insert(1, trial(None, Some(HOSTILE)));
    let tuning = crate::evaluation::Tuning {
        search: Search::Random,
        metric: Metric::Accuracy,
        folds: 5,
        untested_classes: Vec::new(),
        trials,
    };
    assert!(
        tuning.sentence().starts_with("the best of 60 trials over 5 folds: alpha 0.125, penalty"),
        "{}",
        tuning.sentence()
    );
    let labels = ["a".to_owned(), "b".to_owned()];
    let evaluation = Evaluation { tuning: Some(tuning), ..classes(&labels) };
    let card = Card {
        target: "y",
        algorithm: "logisticRegression",
        parameters: Vec::new(),
        evaluation: &evaluation,
        columns: Vec::new(),
        notes: &[],
        lineage: Vec::new(),
    };
    let html = card.to_html();
    for part in ["60 trials (random)", "The best 50 are shown", "alpha 0.125", "0.875"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<script>alert"), "text from data is escaped");
}

#[test]
fn what_is_found_without_a_target_is_counted_and_has_no_baseline() {
    let outcomes = Outcomes::Findings(FindingOutcomes {
        answers: vec![1200, 300],
        per_row: Some((Metric::Silhouette, vec![0.25, 0.75])),
        totals: Metrics::new(),
        explained: vec![0.875],
    });
    let found = evaluation(&outcomes, &["0".to_owned(), "1".to_owned()]);
    let found = Evaluation { naive: None, importance: None, ..found };
    let page = card(&found, "cluster", &[]).to_html();
    for expected in
        ["Found without a target by", "What it finds", "1\u{2009}200", "silhouette", "0.5000", "0.8750"]
    {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("naive baseline"), "{page}");
}
