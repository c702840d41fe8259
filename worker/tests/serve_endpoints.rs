//! Every endpoint but `/predict`: health, readiness, pages, metrics, and what is not there.

mod serving;

use serde_json::json;
use serving::models::{evil, iris, price};
use serving::{SETOSA, Server, head};

#[test]
fn health_and_readiness_are_exact() {
    let server = Server::start(&iris(), &[], &[]);
    assert_eq!(server.get("/health").body, r#"{"status":"ok"}"#);
    assert_eq!(server.get("/ready").body, r#"{"ready":true}"#);
    let head = server.request("HEAD", "/health", &[], b"");
    assert_eq!((head.code, head.header("content-length")), (200, Some("15")));
}

#[test]
fn the_root_leads_to_the_docs() {
    let answer = Server::start(&iris(), &[], &[]).get("/");
    assert_eq!((answer.code, answer.header("location")), (307, Some("docs")));
}

#[test]
fn every_endpoint_is_below_the_prefix_too() {
    let server = Server::start(&iris(), &["--path-prefix", "/models/iris"], &[]);
    for path in ["/health", "/ready", "/docs", "/openapi.json", "/metrics"] {
        for path in [path.to_owned(), format!("/models/iris{path}")] {
            let answer = server.get(&path);
            assert_eq!(answer.code, 200, "{path}");
            assert!(answer.header("x-mlpipeline-pod").is_some(), "{path}");
        }
    }
    let json = [("content-type", "application/json")];
    let answer = server.request("POST", "/models/iris/predict", &json, SETOSA.as_bytes());
    assert_eq!(answer.json()["species_name"], "setosa");
    for (path, docs) in [("/", "docs"), ("/models/iris", "/models/iris/docs"), ("/models/iris/", "docs")] {
        let answer = server.get(path);
        assert_eq!((answer.code, answer.header("location")), (307, Some(docs)), "{path}");
    }
    for path in ["/models", "/models/irises/health", "/models/iris/nowhere", "/other/health"] {
        assert_eq!(server.get(path).code, 404, "{path}");
    }
    let counted = r#"mlpipeline_serve_requests_total{code="200",endpoint="health"} 2"#;
    assert!(server.get("/metrics").body.contains(counted));
}

#[test]
fn an_unknown_path_lists_the_endpoints() {
    let server = Server::start(&iris(), &[], &[]);
    for path in ["/nowhere", "/predict/", "/../etc/passwd", "//", "/%00", "/v2"] {
        let answer = server.get(path);
        assert_eq!(answer.code, 404, "{path}");
        let endpoints = answer.json()["endpoints"].clone();
        assert!(
            endpoints.as_array().is_some_and(|list| list.contains(&json!("POST /predict"))),
            "{answer:?}"
        );
    }
}

#[test]
fn another_method_is_told_the_right_one() {
    let server = Server::start(&iris(), &[], &[]);
    let answer = server.get("/predict");
    assert_eq!((answer.code, answer.header("allow")), (405, Some("POST")));
    for method in ["POST", "DELETE", "OPTIONS", "BREW"] {
        let answer = server.request(method, "/health", &[], b"");
        assert_eq!((answer.code, answer.header("allow")), (405, Some("GET,HEAD")), "{method}");
        assert!(answer.error().contains(method));
    }
}

#[test]
fn the_docs_page_has_every_feature_and_a_strict_policy() {
    let server = Server::start(&iris(), &[], &[]);
    let page = server.get("/docs");
    assert_eq!(page.code, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    for name in [
        "sepal_length",
        "sepal_width",
        "petal_length",
        "petal_width",
        "species",
        "logisticRegression",
        "0.973",
    ] {
        assert!(page.body.contains(name), "{name}");
    }
    let revision = page.header("x-mlpipeline-model-revision").expect("a revision");
    assert!(page.body.contains(revision));
}

#[test]
fn names_that_try_to_break_out_are_only_names() {
    let server = Server::start(&evil(), &[], &[]);
    let page = server.get("/docs").body;
    for raw in ["<script>alert", "<img", "<b>"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("größe 🌡"));
    let document = server.get("/openapi.json").json();
    assert_eq!(
        document["components"]["schemas"]["Row"]["required"],
        json!(["<script>alert(1)</script>", "größe 🌡"])
    );
    let answer = server.predict(r#"{"<script>alert(1)</script>": 1, "größe 🌡": 3}"#);
    assert_eq!(answer.json()["<b>target_name"], "<img src=x onerror=alert(1)>");
    let metrics = server.get("/metrics").body;
    assert!(
        metrics.contains(r#"mlpipeline_serve_predictions_total{class="<img src=x onerror=alert(1)>"} 1"#),
        "{metrics}"
    );
}

#[test]
fn the_interface_description_holds_for_its_own_example() {
    for model in [iris(), price()] {
        let server = Server::start(&model, &[], &[]);
        let document = server.get("/openapi.json").json();
        assert_eq!(document["openapi"], "3.1.0");
        let example =
            &document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"];
        let answer = server.predict(&example.to_string());
        assert_eq!(answer.code, 200, "{answer:?}");
        let prediction = &document["components"]["schemas"]["Prediction"];
        let promised: Vec<_> = prediction["required"].as_array().expect("a list").clone();
        let given: Vec<_> = answer.json().as_object().expect("an object").keys().cloned().collect();
        assert_eq!(promised.len(), given.len());
        assert!(
            promised.iter().all(|name| given.iter().any(|given| name == given)),
            "{promised:?} {given:?}"
        );
        for path in document["paths"].as_object().expect("paths").keys().filter(|path| *path != "/predict") {
            assert_eq!(server.get(path).code, 200, "{path}");
        }
    }
}

#[test]
fn metrics_count_what_happened() {
    let server = Server::start(&iris(), &[], &[]);
    server.predict(SETOSA);
    server.predict(&format!("[{SETOSA},{SETOSA}]"));
    server.predict("{}");
    server.get("/nowhere");
    let metrics = server.get("/metrics");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "mlpipeline_serve_requests_total{code=\"200\",endpoint=\"predict\"} 2",
        "mlpipeline_serve_requests_total{code=\"422\",endpoint=\"predict\"} 1",
        "mlpipeline_serve_requests_total{code=\"404\",endpoint=\"other\"} 1",
        "mlpipeline_serve_rows_total 3",
        "mlpipeline_serve_predictions_total{class=\"setosa\"} 3",
        "mlpipeline_serve_predictions_total{class=\"virginica\"} 0",
        "mlpipeline_serve_in_flight 1",
        "mlpipeline_serve_request_duration_seconds_count{endpoint=\"predict\"} 3",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line} is not in\n{}", metrics.body);
    }
    assert!(
        metrics.body.contains("mlpipeline_serve_model_info{algorithm=\"logisticRegression\",revision=\"")
    );
}

#[test]
fn a_key_guards_predictions_and_nothing_else() {
    let key = "super-secret-api-key";
    let server =
        Server::start(&iris(), &["--api-key-env", "API_KEY"], &[("API_KEY", "super-secret-api-key\n")]);
    let ask = |headers: &[(&str, &str)]| server.request("POST", "/predict", headers, SETOSA.as_bytes());
    let refused = ask(&[]);
    assert_eq!(
        (refused.code, refused.header("www-authenticate")),
        (401, Some("Bearer realm=\"mlpipeline\""))
    );
    assert!(refused.error().contains("API key"));
    for wrong in
        [("x-api-key", "super"), ("authorization", "Bearer x"), ("authorization", key), ("x-api-key", "")]
    {
        assert_eq!(ask(&[wrong]).code, 401, "{wrong:?}");
    }
    assert_eq!(ask(&[("x-api-key", key)]).code, 200);
    assert_eq!(ask(&[("authorization", &format!("Bearer {key}"))]).code, 200);
    for open in ["/health", "/ready", "/docs", "/openapi.json", "/metrics"] {
        let answer = server.get(open);
        assert_eq!(answer.code, 200, "{open}");
        assert!(!answer.body.contains(key), "{open} shows the key");
    }
    let said = server.all_lines();
    assert!(!said.is_empty() && !said.iter().any(|line| line.contains(key)), "{said:?}");
}

#[test]
fn requests_without_a_key_are_refused_before_their_body_is_read() {
    let server = Server::start(&iris(), &[], &[("MLPIPELINE_API_KEY", "k")]);
    let mut connection = server.connect();
    connection.send(&head("POST", "/predict", &[], 1_000_000));
    assert_eq!(connection.read().code, 401);
}

#[test]
fn the_pages_need_the_key_where_that_is_asked_for() {
    let key = [("MLPIPELINE_API_KEY", "secret")];
    let open = Server::start(&iris(), &[], &key);
    let closed = Server::start(&iris(), &["--docs-need-key"], &key);
    for page in ["/docs", "/openapi.json"] {
        assert_eq!(open.get(page).code, 200, "{page}");
        assert_eq!(closed.get(page).code, 401, "{page}");
        assert_eq!(closed.request("GET", page, &[("x-api-key", "secret")], b"").code, 200, "{page}");
    }
    // Probes and metrics stay open.
    for page in ["/health", "/ready", "/metrics"] {
        assert_eq!(closed.get(page).code, 200, "{page}");
    }
}
