//! The life of the server: refusing to start, draining, ending.

mod serving;

use serving::models::{iris, price};
use serving::{SETOSA, Server, head, publish, revision, run_to_end, until};

#[test]
fn an_empty_key_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = publish(folder.path(), &iris());
    for value in ["", " \n"] {
        let (code, said) = run_to_end(&model, &[], &[("MLPIPELINE_API_KEY", value)]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("MLPIPELINE_API_KEY is set but holds no key"), "{said}");
    }
    let (code, said) = run_to_end(&model, &["--api-key-env", "NO_SUCH_KEY"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("NO_SUCH_KEY is not set"), "{said}");
}

#[test]
fn a_key_is_not_replaced_by_naming_another_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = publish(folder.path(), &iris());
    let variables = [("MLPIPELINE_API_KEY", "secret"), ("MLPIPELINE_SERVE_API_KEY_ENV", "PATH")];
    let (code, said) = run_to_end(&model, &[], &variables);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("PATH is named to hold the API key") && said.contains("keep one"), "{said}");
}

#[test]
fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&price(), &[], &[]);
    let address = server.address.to_string();
    let taken = std::process::Command::new(env!("CARGO_BIN_EXE_mlpipeline-worker"))
        .args(["serve", "--listen", &address, "--model"])
        .arg(publish(folder.path(), &iris()))
        .output()
        .expect("the worker runs");
    let said = String::from_utf8_lossy(&taken.stderr);
    assert_eq!(taken.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
}

#[test]
fn a_folder_without_a_model_and_a_damaged_model_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run_to_end(folder.path(), &[], &[]);
    assert!(code.is_some_and(|code| code != 0), "{said}");
    assert!(said.contains("no artifact at"), "{said}");
    let model = publish(folder.path(), &iris());
    let file = model.join("model.json");
    let mut bytes = std::fs::read(&file).expect("the model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let (code, said) = run_to_end(&model, &[], &[]);
    assert!(code.is_some_and(|code| code != 0), "{said}");
    assert!(said.contains("is damaged"), "{said}");
    std::fs::remove_file(&file).expect("removed");
    let (code, said) = run_to_end(&model, &[], &[]);
    assert!(code.is_some_and(|code| code != 0), "{said}");
    assert!(said.contains("model.json is missing"), "{said}");
}

#[test]
fn a_serve_step_answers_and_ends_with_a_report() {
    let storage = tempfile::tempdir().expect("a folder");
    publish(&storage.path().join("ns/iris/train"), &iris());
    let spec = serde_json::json!({
        "version": 1, "namespace": "ns", "pipeline": "iris", "step": "api", "revision": {"fixed": revision()},
        "action": {"serve": {"model": format!("ns/iris/train/{}", revision())}},
    });
    let report = storage.path().join("report.json");
    let mut server = Server::start_command(
        &[
            "step",
            &spec.to_string(),
            "--storage",
            &storage.path().to_string_lossy(),
            "--report",
            &report.to_string_lossy(),
        ],
        &[("MLPIPELINE_SERVE_LISTEN", "127.0.0.1:0")],
    );
    let answer = server.predict(SETOSA);
    assert_eq!(answer.header("x-mlpipeline-model-revision"), Some(revision().as_str()));
    assert_eq!(answer.code, 200);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    let report = std::fs::read_to_string(report).expect("a report");
    let expected =
        format!(r#"{{"outcome":"succeeded","stepVersion":{}}}"#, mlpipeline_crds::STEP_SPEC_VERSION);
    assert_eq!(report, expected);
}

#[test]
fn a_request_in_flight_is_answered_after_sigterm_and_the_process_ends_with_0() {
    let mut server = Server::start(&iris(), &[], &[]);
    let mut idle = server.connect();
    idle.send(&head("GET", "/health", &[], 0));
    assert_eq!(idle.read().code, 200);
    let mut connection = server.connect();
    connection.send(&head("POST", "/predict", &[("expect", "100-continue")], SETOSA.len()));
    assert_eq!(connection.read_head().code, 100, "the server is reading the body");
    server.terminate();
    until("no new connection is taken", || server.try_connect().is_err().then_some(()));
    connection.send(SETOSA);
    let answer = connection.read();
    assert_eq!((answer.code, answer.json()["species_name"].as_str()), (200, Some("setosa")));
    assert!(connection.is_closed_silently() && idle.is_closed_silently());
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_process() {
    let mut server = Server::start(&iris(), &["--shutdown-timeout", "100ms"], &[]);
    let mut connection = server.connect();
    connection.send(&head("POST", "/predict", &[("expect", "100-continue")], SETOSA.len()));
    assert_eq!(connection.read_head().code, 100);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert!(connection.is_closed_silently());
}

#[test]
fn while_draining_it_answers_but_is_not_ready_and_a_second_signal_ends_that() {
    let mut server = Server::start(&iris(), &["--drain-delay", "1h"], &[]);
    server.terminate();
    let not_ready =
        until("it is not ready", || Some(server.get("/ready")).filter(|answer| answer.code == 503));
    assert_eq!(not_ready.body, r#"{"ready":false,"reason":"draining"}"#);
    assert_eq!(server.predict(SETOSA).code, 200);
    assert_eq!(server.get("/health").code, 200);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

/// One level for everything, as ConfigMaps of services have it; RUST_LOG can say more, and comes before it.
#[test]
fn a_level_in_the_environment_says_how_much_is_logged() {
    let mut talkative = Server::start(&iris(), &[], &[("LOG_LEVEL", "Debug")]);
    assert_eq!(talkative.predict(SETOSA).code, 200);
    talkative.wait_for_line("answered");

    for (environment, warns) in [
        (&[("LOG_LEVEL", "info")][..], false),
        (&[("LOG_LEVEL", "debug"), ("RUST_LOG", "info")], false),
        (&[("LOG_LEVEL", "loud")], true),
    ] {
        let mut server = Server::start(&iris(), &[], environment);
        assert_eq!(server.predict(SETOSA).code, 200);
        server.terminate();
        assert!(server.wait().success());
        let said = server.all_lines().join("\n");
        assert!(said.contains("stopped") && !said.contains("answered"), "{environment:?}: {said}");
        assert_eq!(said.contains("LOG_LEVEL is"), warns, "{environment:?}: {said}");
    }
}
