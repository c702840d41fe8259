//! PostgreSQL.

use mlpipeline_tests::stores::Postgres;

use super::bed::{INPUT, OUTPUT, Volume, delivering, fresh, postgres, prepare};

const EVERYTHING: &str = r#"
    CREATE TABLE "Odd ""name"".x" (
        id bigint PRIMARY KEY, small smallint, whole integer, single real, double double precision, flag boolean,
        price numeric(10,2), free numeric, "Text" text, code char(3), day date, moment timestamp, instant timestamptz,
        clock time, raw bytea, key uuid, doc jsonb, list integer[]);
    INSERT INTO "Odd ""name"".x" VALUES
        (1, -2, 3, 1.5, 0.1, true, 12.30, 1e3, '', 'ab', '2024-02-29', '2024-02-29 12:34:56.789', '2024-02-29 12:00:00+02',
         '23:59:59', '\x00ff', '00000000-0000-0000-0000-000000000001', '{"a": 1}', '{1,2}'),
        (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);"#;

#[test]
fn columns_become_what_they_are_and_null_stays_apart_from_empty_text() {
    let database = postgres().database(&fresh("shop"));
    database.run(EVERYTHING);
    let volume = Volume::new().with_postgres(INPUT);
    let uri = database.uri("Odd %22name%22%2Ex");
    let sql = r#"SELECT id, small, whole, single, double, flag, price, free, "Text" IS NULL AS no_text, code, day, moment,
        instant, clock, key, doc, list, arrow_typeof(price) AS price_type, arrow_typeof(instant) AS instant_type FROM t ORDER BY id"#;
    let ended = volume.step(&prepare(&uri, Some(sql), "typed"), &[]);
    let text = volume.data(&ended);
    let mut lines = text.lines().skip(1);
    assert_eq!(
        lines.next(),
        Some(
            "1,-2,3,1.5,0.1,true,12.30,1000.0,false,ab,2024-02-29,2024-02-29T12:34:56.789,2024-02-29T10:00:00Z,23:59:59,\
             00000000-0000-0000-0000-000000000001,\"{\"\"a\"\": 1}\",\"{1,2}\",\"Decimal128(10, 2)\",\"Timestamp(µs, \"\"+00:00\"\")\""
        ),
        "{text}"
    );
    assert_eq!(
        lines.next(),
        Some("2,,,,,,,,true,,,,,,,,,\"Decimal128(10, 2)\",\"Timestamp(µs, \"\"+00:00\"\")\"")
    );
    database.run("INSERT INTO \"Odd \"\"name\"\".x\" (id, day) VALUES (3, 'infinity')");
    let ended = volume.step(&prepare(&uri, None, "infinite"), &[]);
    ended.fails(3, "DataMalformed", &["column day", "infinity"]);
}

#[test]
fn a_table_is_made_filled_and_filled_again_with_the_same_rows() {
    let database = postgres().database(&fresh("shop"));
    let volume = Volume::new().with_postgres(OUTPUT);
    volume.put("t.ndjson", "{\"id\":1,\"Näme\":\"a\\tb\\\\N\\n\",\"x\":1.5,\"f\":true}\n{\"id\":2,\"Näme\":\"\",\"x\":null,\"f\":null}\n");
    let mut spec = delivering(prepare("file:t.ndjson", None, "made"), &database.uri("out"));
    // CSV would not tell null from empty text.
    spec["action"]["prepare"]["format"] = "parquet".into();
    for _ in 0..2 {
        volume.step(&spec, &[]).succeeds();
        let rows =
            database.run("SELECT id, \"Näme\" = E'a\\tb\\\\N\\n', \"Näme\" = '', x, f FROM out ORDER BY id");
        assert_eq!(rows, "1|t|f|1.5|t\n2|f|t||\n");
    }
    let types = database.run("SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'out'::regclass AND attnum > 0");
    assert_eq!(types, "bigint, text, double precision, boolean\n");
    let back = Volume::new().with_postgres(INPUT);
    let ended =
        back.step(&prepare(&database.uri("public.out"), Some("SELECT count(*) AS n FROM t"), "back"), &[]);
    assert_eq!(back.data(&ended), "n\n2\n");
}

#[test]
fn a_load_that_fails_leaves_the_table_as_it_was() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE out (id integer CHECK (id < 3)); INSERT INTO out VALUES (1)");
    let volume = Volume::new().with_postgres(OUTPUT);
    let mut rows = "id\n".to_owned();
    for _ in 0..200_000 {
        rows.push_str("2\n");
    }
    volume.put("t.csv", rows + "3\n");
    let ended = volume.step(&delivering(prepare("file:t.csv", None, "load"), &database.uri("out")), &[]);
    ended.fails(3, "StoreRefused", &["out_id_check", "line 200001"]);
    assert_eq!(database.run("SELECT * FROM out"), "1\n");
}

#[test]
fn a_table_of_other_columns_is_refused_with_those_that_differ() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE out (id integer, note text); CREATE VIEW seen AS SELECT * FROM out");
    let volume = Volume::new().with_postgres(OUTPUT);
    volume.put("t.csv", "id,x\n1,2\n");
    let ended = volume.step(&delivering(prepare("file:t.csv", None, "other"), &database.uri("out")), &[]);
    let differ = ["\"x\" bigint is not in the table", "\"note\" text is not in the result"];
    ended.fails(3, "DataMalformed", &differ);
    let ended = volume.step(&delivering(prepare("file:t.csv", None, "view"), &database.uri("seen")), &[]);
    ended.fails(3, "StoreRefused", &["view"]);
    // The order is nothing to it.
    let sql = "SELECT 'n' AS note, id FROM t";
    volume.step(&delivering(prepare("file:t.csv", Some(sql), "order"), &database.uri("out")), &[]).succeeds();
    assert_eq!(database.run("SELECT * FROM out"), "1|n\n");
}

#[test]
fn a_table_that_somebody_keeps_locked_is_waited_for_and_then_tried_again() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE out (a bigint)");
    let volume = Volume::new().with_postgres(OUTPUT);
    volume.put("t.csv", "a\n1\n");
    let _holder = database.hold("LOCK TABLE out");
    let spec = delivering(prepare("file:t.csv", None, "locked"), &database.uri("out"));
    volume.step(&spec, &["--idle-timeout=300ms"]).fails(4, "StoreUnreachable", &["locked"]);
}

#[test]
fn readers_go_on_while_rows_are_replaced() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE out (a bigint); INSERT INTO out VALUES (7)");
    let volume = Volume::new().with_postgres(OUTPUT);
    volume.put("t.csv", "a\n1\n");
    // A reader in the middle of a transaction, which a TRUNCATE would wait for.
    let _reader = database.hold("SELECT * FROM out");
    volume
        .step(&delivering(prepare("file:t.csv", None, "read"), &database.uri("out")), &["--idle-timeout=1s"])
        .succeeds();
    assert_eq!(database.run("SELECT * FROM out"), "1\n");
}

#[test]
fn what_a_database_refuses_is_said() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE orders (id integer)");
    let of = |volume: &Volume, uri: &str| volume.step(&prepare(uri, None, "x"), &[]);
    let volume = Volume::new().with_postgres(INPUT);
    of(&volume, &database.uri("order")).fails(3, "DataNotFound", &["no table order", "there are orders"]);
    let elsewhere = database.uri("orders").replace("/shop", "/shopping");
    of(&volume, &elsewhere).fails(3, "DataNotFound", &["there is no database shopping"]);
    let uri = database.uri("orders");
    of(&Volume::new(), &uri).fails(2, "CredentialsMissing", &["username", "secret"]);
    let wrong = Volume::new()
        .with_postgres(INPUT)
        .with(INPUT, &[("username", "nobody-known"), ("password", "wrong-password")]);
    let ended = of(&wrong, &uri);
    ended.fails(3, "StoreRefused", &["does not let this user in"]);
    assert!(!format!("{ended:?}").contains("nobody-known"));
    let without = Volume::new().with(INPUT, &[("username", "admin"), ("ca.crt", postgres().authority())]);
    of(&without, &uri).fails(3, "StoreRefused", &["password"]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = format!("postgres://{}/shop/orders", listener.local_addr().expect("an address"));
    drop(listener);
    of(&volume, &closed).fails(4, "StoreUnreachable", &["tried 2 times"]);
    of(&volume, "postgres://169.254.169.254/shop/orders").fails(3, "StoreRefused", &["link-local"]);
    of(&volume, "postgres://me:hunter2@db/shop/orders").fails(2, "StoreInvalid", &["secret"]);
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("postgres://{}/shop/orders", listener.local_addr().expect("an address"));
    let volume = Volume::new().with_postgres(INPUT);
    let ended = volume.step(&prepare(&uri, None, "x"), &["--idle-timeout=100ms", "--connect-timeout=100ms"]);
    ended.fails(4, "StoreUnreachable", &["tried 2 times"]);
}

#[test]
fn the_servers_certificate_is_checked_unless_that_is_switched_off_by_name() {
    let database = postgres().database(&fresh("shop"));
    database.run("CREATE TABLE orders (id integer); INSERT INTO orders VALUES (1)");
    let uri = database.uri("orders");
    let right = Volume::new().with_postgres(INPUT).with(INPUT, &[("ca.crt", postgres().authority())]);
    assert_eq!(right.data(&right.step(&prepare(&uri, None, "right"), &[])), "id\n1\n");
    let other = mlpipeline_tests::stores::identity().0;
    let wrong = Volume::new().with_postgres(INPUT).with(INPUT, &[("ca.crt", &other)]);
    wrong.step(&prepare(&uri, None, "wrong"), &[]).fails(3, "StoreRefused", &["certificate", "ca.crt"]);
    let none = Volume::new().with_postgres(INPUT).with(INPUT, &[("ca.crt", "no PEM")]);
    none.step(&prepare(&uri, None, "none"), &[]).fails(2, "StoreInvalid", &["ca.crt"]);
    // The system's authorities do not know the server.
    let user = [("username", Postgres::USER), ("password", Postgres::PASSWORD)];
    let unknown = Volume::new().with(INPUT, &user);
    unknown.step(&prepare(&uri, None, "unknown"), &[]).fails(3, "StoreRefused", &["certificate"]);
    for mode in ["require", "prefer", "disable"] {
        let off = Volume::new().with(INPUT, &user).with(INPUT, &[("sslmode", mode)]);
        assert_eq!(off.data(&off.step(&prepare(&uri, None, mode), &[])), "id\n1\n");
    }
}
