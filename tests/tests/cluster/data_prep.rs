//! Scenario 2: data prep.

use crate::bed::{Namespace, kubectl, sample};

#[tokio::test]
async fn scenario_2_a_csv_file_without_header_is_named_cleaned_and_stored_as_csv() {
    let namespace = Namespace("data-prep");
    kubectl(&["apply", "-k", &sample("data-prep")]);
    namespace.wait_ready(&["data-prep"]);
    let shown = namespace.logs("show");
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "sepal-length,sepal-width,petal-length,petal-width,class");
    assert_eq!(lines[1], "4.3,3.0,1.1,0.1,Iris-setosa");
    assert_eq!(lines.len(), 4, "{shown}");

    kubectl(&["apply", "-f", &sample("data-prep/failing-image.yaml")]);
    let status = namespace
        .wait_status("wrong-image", "the image that cannot be pulled is named", |status| {
            status["steps"][0]["message"].as_str().is_some_and(|message| {
                message.contains("localhost/data-prep-image:latest") && message.contains("cannot be pulled")
            })
        })
        .await;
    let reasons = status["conditions"].to_string();
    assert!(reasons.contains("ErrImagePull") || reasons.contains("ImagePullBackOff"), "{reasons}");
    namespace.delete().await;
}
