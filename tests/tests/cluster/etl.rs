//! Scenario 5: extract, transform, load, with a real PostgreSQL and a real S3 server.

use mlpipeline_tests::{programs, wait_until};

use crate::bed::{Namespace, TIMEOUT, kubectl};

#[tokio::test]
async fn scenario_5_etl_between_a_database_and_a_bucket() {
    let namespace = Namespace("etl");
    // The sample as it is, but for where the servers' images come from.
    let images = programs::repository().join("tests/tests/cluster/etl_images");
    kubectl(&["apply", "-k", &images.display().to_string()]);
    namespace.wait_ready(&["etl"]);
    let loaded = sql(&namespace, "shop", "SELECT country, orders, revenue FROM revenue ORDER BY country");
    assert_eq!(loaded.lines().collect::<Vec<_>>(), ["DE|3|16", "FR|1|7"]);
    let object = "head -c 4 /data/buckets/lake/revenue.parquet";
    assert_eq!(
        namespace.kubectl(&["exec", "deployment/s3", "-c", "files", "--", "sh", "-c", object]),
        "PAR1"
    );

    // An edit of the transformation loads anew, and readers of the table see one result or the other.
    let patch = r#"[{"op": "add", "path": "/spec/steps/0/rerun", "value": "again"}]"#;
    sql(&namespace, "shop", "INSERT INTO orders VALUES (5, 2, 3)");
    namespace.kubectl(&["patch", "mlp", "etl", "--type", "json", "--patch", patch]);
    wait_until("the new rows are loaded", TIMEOUT, async || {
        let rows = sql(&namespace, "shop", "SELECT country, orders, revenue FROM revenue ORDER BY country");
        if rows.contains("FR|2|10") { Ok(()) } else { Err(rows) }
    })
    .await;
    let seen = namespace.kubectl(&["get", "mlp,jobs,deployments,pods,events", "-o", "yaml"])
        + &namespace.logs("revenue");
    assert!(!seen.contains("only-for-the-lesson"), "S7: a password stands in an object or a log");
    namespace.delete().await;
}

/// Runs SQL in the database's own pod.
fn sql(namespace: &Namespace, database: &str, query: &str) -> String {
    let psql = ["exec", "deployment/postgres", "--", "psql", "-h", "/tmp", "-U", "etl", "-At", "-d"];
    namespace.kubectl(&[&psql[..], &[database, "-c", query]].concat())
}
