//! Scenario 5: extract, transform, load, with a real PostgreSQL and a real S3 server.

use mlpipeline_tests::{programs, wait_until};

use crate::bed::{Namespace, PATIENCE, kubectl, sample};

#[tokio::test]
async fn scenario_5_etl_between_a_database_and_a_bucket() {
    let namespace = Namespace("etl");
    kubectl(&["apply", "-f", &sample("etl/namespace.yaml")]);
    let servers = programs::repository().join("tests/tests/cluster/etl_servers.yaml");
    kubectl(&["apply", "-f", &servers.display().to_string()]);
    for server in ["deployment/postgres", "deployment/s3"] {
        namespace.kubectl(&["rollout", "status", server, "--timeout=180s"]);
    }
    sql(&namespace, "postgres", "CREATE DATABASE shop");
    let orders = "CREATE TABLE orders (id int, customer_id int, amount double precision);
        INSERT INTO orders VALUES (1, 1, 10.5), (2, 1, 4.5), (3, 2, 7), (4, 3, 1)";
    sql(&namespace, "shop", orders);
    let customers = "printf 'id,country\\n1,DE\\n2,FR\\n3,DE\\n' > /data/buckets/raw/customers.csv";
    namespace.kubectl(&["exec", "deployment/s3", "-c", "files", "--", "sh", "-c", customers]);

    kubectl(&["apply", "-f", &sample("etl/secrets.yaml"), "-f", &sample("etl/pipeline.yaml")]);
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
    wait_until("the new rows are loaded", PATIENCE, async || {
        let rows = sql(&namespace, "shop", "SELECT country, orders, revenue FROM revenue ORDER BY country");
        if rows.contains("FR|2|10") { Ok(()) } else { Err(rows) }
    })
    .await;
    // The servers' own pods are not the pipeline's.
    let seen = namespace.kubectl(&["get", "mlp,jobs,events", "-o", "yaml"])
        + &namespace.kubectl(&["get", "pods", "-l", "mlpipeline.dev/step", "-o", "yaml"])
        + &namespace.logs("revenue");
    assert!(!seen.contains("only-for-the-lesson"), "S7: a password stands in an object or a log");
    namespace.delete().await;
}

/// Runs SQL in the database's own pod.
fn sql(namespace: &Namespace, database: &str, query: &str) -> String {
    let psql = ["exec", "deployment/postgres", "--", "psql", "-h", "/tmp", "-U", "etl", "-At", "-d"];
    namespace.kubectl(&[&psql[..], &[database, "-c", query]].concat())
}
