//! `/predict` against the real process: right answers, and a clear one for every bad request.

mod serving;

use serde_json::json;
use serving::models::{iris, price};
use serving::{SETOSA, Server, VIRGINICA, head};

#[test]
fn the_crash_courses_request_gets_the_crash_courses_answer() {
    let server = Server::start(&iris(), &[], &[("POD_NAME", "iris-7")]);
    let answer = server.predict(SETOSA);
    assert_eq!(answer.code, 200);
    assert!(
        answer
            .body
            .starts_with(r#"{"species_index":0,"species_name":"setosa","probabilities":{"setosa":0.98"#)
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-mlpipeline-pod"), Some("iris-7"));
    assert!(answer.header("x-mlpipeline-model-revision").is_some_and(|revision| revision.len() == 12));
    let probabilities = answer.json()["probabilities"].clone();
    let expected = [("setosa", 0.981_583_517), ("versicolor", 0.018_416_469), ("virginica", 1.449_869e-8)];
    for (label, probability) in expected {
        let found = probabilities[label].as_f64().expect("a number");
        assert!((found - probability).abs() < 1e-8, "{label} {found}");
    }
}

#[test]
fn a_list_is_answered_in_its_order_and_like_single_rows() {
    let server = Server::start(&iris(), &[], &[]);
    let rows = [VIRGINICA, SETOSA, VIRGINICA];
    let answer = server.predict(&format!("[{}]", rows.join(",")));
    let single: Vec<_> = rows.iter().map(|row| server.predict(row).json()).collect();
    assert_eq!(answer.json(), json!(single));
    assert_eq!(answer.json()[0]["species_name"], "virginica");
}

#[test]
fn a_large_list_is_answered_like_single_rows() {
    let server = Server::start(&iris(), &[], &[]);
    let rows: Vec<&str> = [SETOSA, VIRGINICA, SETOSA].into_iter().cycle().take(30_000).collect();
    let answer = server.predict(&format!("[{}]", rows.join(",")));
    assert_eq!(answer.code, 200);
    let found = answer.json();
    let found = found.as_array().expect("a list");
    let (setosa, virginica) = (server.predict(SETOSA).json(), server.predict(VIRGINICA).json());
    assert_eq!(found.len(), rows.len());
    for (row, found) in rows.iter().zip(found) {
        assert_eq!(found, if *row == SETOSA { &setosa } else { &virginica });
    }
}

#[test]
fn a_regression_answers_by_the_targets_name() {
    let server = Server::start(&price(), &[], &[]);
    assert_eq!(server.predict(r#"{"size": 5.65}"#).body, r#"{"price":12.3}"#);
    assert_eq!(server.predict(r#"[{"size": 1}, {"size": 2}]"#).body, r#"[{"price":3.0},{"price":5.0}]"#);
}

#[test]
fn many_requests_go_over_one_connection_also_without_waiting() {
    let server = Server::start(&price(), &[], &[]);
    let mut connection = server.connect();
    let mut pipelined = String::new();
    for size in 0..50 {
        let body = format!("{{\"size\":{size}}}");
        pipelined += &(head("POST", "/predict", &[], body.len()) + &body);
    }
    connection.send(&pipelined);
    for size in 0..50 {
        assert_eq!(connection.read().json()["price"], 2.0 * f64::from(size) + 1.0);
    }
}

/// Each bad body, the code it gets, and what the answer must say.
#[test]
fn every_bad_body_gets_a_clear_error() {
    let server = Server::start(&iris(), &["--max-rows", "3"], &[]);
    let with = |value: &str| SETOSA.replace("0.2", value);
    let list = |row: &str, count| format!("[{}]", vec![row; count].join(","));
    let rows = [
        (String::new(), 400, "the body is not JSON: it is empty"),
        ("{\"sepal_length\": 5.1,".into(), 400, "the body is not JSON: EOF while parsing"),
        ("sepal_length=5.1".into(), 400, "the body is not JSON: expected value at line 1 column 1"),
        (with("NaN"), 400, "the body is not JSON"),
        (with("Infinity"), 400, "the body is not JSON"),
        (with("1, }"), 400, "the body is not JSON"),
        (SETOSA.to_owned() + SETOSA, 400, "the body is not JSON: trailing characters"),
        ("{\"a\":".repeat(50_000), 400, "the body is not JSON"),
        ("null".into(), 422, "not null"),
        ("\"setosa\"".into(), 422, "not a text"),
        ("[]".into(), 422, "not an empty list"),
        (with("null"), 422, "must be a number, not null"),
        (with("\"0.2\""), 422, "must be a number, not the text \\\"0.2\\\""),
        (with("true"), 422, "must be a number, not true"),
        (with("[0.2]"), 422, "must be a number, not a list"),
        (with(&("[".repeat(20_000) + &"]".repeat(20_000))), 422, "must be a number, not a list"),
        (with("1e101"), 422, "must be between -1e100 and 1e100, and 1e101 is not"),
        (with("1e999"), 422, "and 1e999 is not"),
        (with("1e308"), 422, "must be between -1e100 and 1e100, and 1e308 is not"),
        (with("0.2, \"petal_width\": 0.3"), 422, "is given twice"),
        (
            with("0.2, \"colour\": 1"),
            422,
            "\"feature\":\"colour\",\"problem\":\"is not a feature of this model\"",
        ),
        (
            SETOSA.replace(", \"petal_width\": 0.2", ""),
            422,
            "\"feature\":\"petal_width\",\"problem\":\"is missing\"",
        ),
        (format!("[{SETOSA}, null]"), 422, "{\"row\":1,\"problem\":\"must be an object"),
        (list(SETOSA, 4), 413, "at most 3 rows"),
    ];
    for (body, code, part) in rows {
        let answer = server.predict(&body);
        let shown: String = body.chars().take(120).collect();
        assert_eq!(answer.code, code, "{shown}: {answer:?}");
        assert!(answer.body.contains(part), "{shown}: {answer:?}");
        assert!(!answer.error().is_empty());
    }
    assert_eq!(server.predict(SETOSA).code, 200, "the server goes on");
}

#[test]
fn all_problems_are_told_at_once_with_the_features_there_are() {
    let server = Server::start(&iris(), &[], &[]);
    let answer = server.predict(
        r#"[{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4}, {"petal_width": "x", "x": 1}]"#,
    );
    assert_eq!(
        answer.json(),
        json!({
            "error": "row 0: feature \"petal_width\" is missing; and 5 more problems",
            "details": [
                {"row": 0, "feature": "petal_width", "problem": "is missing"},
                {"row": 1, "feature": "petal_width", "problem": "must be a number, not the text \"x\""},
                {"row": 1, "feature": "x", "problem": "is not a feature of this model"},
                {"row": 1, "feature": "sepal_length", "problem": "is missing"},
                {"row": 1, "feature": "sepal_width", "problem": "is missing"},
                {"row": 1, "feature": "petal_length", "problem": "is missing"},
            ],
            "features": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
        })
    );
}

#[test]
fn another_content_type_is_refused() {
    let server = Server::start(&iris(), &[], &[]);
    let ask = |content_type: &str| {
        server.request("POST", "/predict", &[("content-type", content_type)], SETOSA.as_bytes()).code
    };
    assert_eq!(ask("text/plain"), 415);
    assert_eq!(ask("application/x-www-form-urlencoded"), 415);
    assert_eq!(ask("application/json; charset=utf-8"), 200);
    assert_eq!(server.request("POST", "/predict", &[], SETOSA.as_bytes()).code, 200);
    let encoded = |encoding: &str| {
        server.request("POST", "/predict", &[("content-encoding", encoding)], SETOSA.as_bytes())
    };
    let answer = encoded("gzip");
    assert_eq!(answer.code, 415);
    assert!(answer.error().contains("without Content-Encoding, not with gzip"), "{}", answer.error());
    assert_eq!(encoded("identity").code, 200);
}
