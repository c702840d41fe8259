//! Queries over small tables, and what they must answer.

use serde_json::{Value, json};

use super::{Ended, Volume, prepare};

/// A prepare step with this query over tables of CSV.
#[must_use]
pub fn tried(tables: &[(&str, &str)], sql: &str) -> (Volume, Ended) {
    let volume = Volume::new();
    let mut inputs: Vec<Value> = Vec::new();
    for (name, content) in tables {
        volume.put(&format!("{name}.csv"), content);
        inputs.push(json!({"name": name, "source": {"uri": {"uri": format!("file:{name}.csv")}}}));
    }
    let ended = volume.step(&prepare(Value::Array(inputs), Some(sql)), &[]);
    (volume, ended)
}

/// The query answers this, in this order.
#[track_caller]
pub fn answers(tables: &[(&str, &str)], sql: &str, expected: &str) {
    let (volume, ended) = tried(tables, sql);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), expected, "{sql}");
}

/// The query is refused, with a message that has all these parts.
#[track_caller]
pub fn refused(tables: &[(&str, &str)], sql: &str, parts: &[&str]) {
    let (_, ended) = tried(tables, sql);
    ended.fails(2, "QueryInvalid", parts);
}

/// The same over one table, which is `t`.
pub mod of_one_table {
    use super::{Ended, Volume};

    /// A prepare step with this query over it.
    #[must_use]
    pub fn tried(content: &str, sql: &str) -> (Volume, Ended) {
        super::tried(&[("t", content)], sql)
    }

    /// The query answers this.
    #[track_caller]
    pub fn answers(content: &str, sql: &str, expected: &str) {
        super::answers(&[("t", content)], sql, expected);
    }

    /// The query is refused, with a message that has all these parts.
    #[track_caller]
    pub fn refused(content: &str, sql: &str, parts: &[&str]) {
        super::refused(&[("t", content)], sql, parts);
    }
}
