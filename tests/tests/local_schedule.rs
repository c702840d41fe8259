//! Schedules on a laptop, at their real times: new data are fetched, a new model is trained and takes over while requests go on.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod laptop;

use laptop::{Laptop, request, wait_until};

const NIGHTLY: &str = "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: iris, namespace: ml-course}
spec:
  steps:
    - name: data
      prepare: {inputs: [{name: iris, uri: 'http://iris-data/iris.csv'}]}
      schedule: {cron: '* * * * *'}
    - name: train
      train: {data: {step: data}, target: species, algorithm: {logisticRegression: {}}, gate: {metric: accuracy, min: 0.9}}
    - name: api
      serve: {model: {step: train}, replicas: 2}
";

const FLOWER: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

#[test]
fn data_that_changed_bring_a_new_model_into_service_and_no_request_fails() {
    let laptop = Laptop::new();
    laptop.write("pipeline.yaml", NIGHTLY);
    let mut local = laptop.start(&["--on-schedule"]);
    let url = local.wait_for("api answers at ") + "/predict";
    let model = |head: &str| {
        let line =
            head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-mlpipeline-model-revision:"));
        line.unwrap_or_else(|| panic!("no model in {head}")).to_owned()
    };
    let first = model(&request(&url, Some(FLOWER)).expect("an answer").1);

    let flowers = laptop.read("data/iris.csv");
    let fewer: Vec<&str> = flowers.lines().take(140).collect();
    laptop.write("data/iris.csv", &(fewer.join("\n") + "\n"));
    let mut later = 0;
    wait_until("the new model to have answered a while", || {
        let (status, head, body) = request(&url, Some(FLOWER)).expect("no request fails");
        assert_eq!(status, 200, "{body}");
        let is_new = model(&head) != first;
        assert!(is_new || later == 0, "the old model answered after the new one");
        later += u32::from(is_new);
        later == 300
    });
    local.signal("INT");
    assert_eq!(local.end(), Some(0));
}
