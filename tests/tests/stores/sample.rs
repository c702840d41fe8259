//! The sample under deploy/samples/etl, as it is, on this machine: only the hosts' addresses and the credentials differ.

use std::fs;
use std::process::Command;

use mlpipeline_tests::programs;
use mlpipeline_tests::stores::{Postgres, S3};

#[test]
fn the_etl_sample_joins_a_table_and_an_object_and_loads_both_kinds() {
    // Servers of its own: the sample names its database and its buckets.
    let postgres = Postgres::start().unwrap_or_else(|problem| panic!("{problem}"));
    let s3 = S3::start().unwrap_or_else(|problem| panic!("{problem}"));
    let shop = postgres.database("shop");
    shop.run(
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer NOT NULL, amount numeric(10,2) NOT NULL);
         INSERT INTO orders VALUES (1, 1, 10.50), (2, 2, 20.25), (3, 1, 0.10), (4, 3, 5)",
    );
    let (_, raw) = s3.bucket("raw");
    let (_, lake) = s3.bucket("lake");
    fs::write(raw.join("customers.csv"), "id,country\n1,NL\n2,DE\n3,NL\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let entries = s3.entries().map(|(key, value)| format!("  {key}: {value}\n")).concat();
    let secrets = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: warehouse}}\nstringData:\n  username: {}\n  password: {}\n  sslmode: disable\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: lake}}\nstringData:\n{entries}",
        Postgres::USER,
        Postgres::PASSWORD
    );
    fs::write(folder.path().join("secrets.yaml"), secrets).unwrap();
    let local = || {
        let output = Command::new(programs::path("kubectl-mlpipeline"))
            .arg("local")
            .arg(programs::repository().join("deploy/samples/etl/pipeline.yaml"))
            .args(["--once", "--secrets", "secrets.yaml", "--resolve"])
            .arg(format!("postgres=127.0.0.1:{}", postgres.port()))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    local();
    assert!(fs::read(lake.join("revenue.parquet")).unwrap().starts_with(b"PAR1"));
    let report = "DE|1|20.25\nNL|3|15.60\n";
    assert_eq!(shop.run("SELECT * FROM revenue ORDER BY country"), report);
    // Nothing changed, so nothing is done: what somebody deletes stays deleted until the step means something else.
    shop.run("DELETE FROM revenue");
    local();
    assert_eq!(shop.run("SELECT count(*) FROM revenue"), "0\n");
}
