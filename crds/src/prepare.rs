//! prepare — extract, transform, check.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Extract, transform and check data; the result is a dataset of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.sql) || (has(self.inputs) && self.inputs.size() == 1)").message("without sql, exactly one input is copied: write sql to say what becomes of several inputs or of none"))]
#[serde(rename_all = "camelCase")]
pub struct Prepare {
    /// What to read; each becomes a table in the SQL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub inputs: Vec<Input>,
    /// One SELECT in DataFusion's SQL over the inputs. Absent: the only input is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16384))]
    pub sql: Option<String>,
    /// What must hold of the result. A check that fails, fails the step, says which rows, and publishes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub checks: Vec<Check>,
    /// How to write the result; Parquet when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}

/// One table to read: from a URI, or another step's dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.uri) != has(self.step)").message("an input has exactly one of uri and step"))]
#[x_kube(validation = Rule::new("!has(self.step) || !(has(self.format) || has(self.columns) || has(self.sha256) || has(self.secret))").message("format, columns, sha256 and secret go with a uri: a step's dataset knows its own"))]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The table's name in the SQL.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub name: String,
    /// Where the data are: http(s)://…, s3://BUCKET/KEY, postgres://HOST[:PORT]/DATABASE/[SCHEMA.]TABLE, or file:PATH, a path on
    /// the pipeline's volume. In keys and paths, * stands for any part of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub uri: Option<String>,
    /// The step whose dataset to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub step: Option<String>,
    /// The data's format; by the uri's extension when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The columns' names, for a CSV file that has no header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub columns: Vec<String>,
    /// Refuse any data but those with this SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
    /// The Secret, in the pipeline's namespace, with the credentials for the uri: username and password, or token, for http; the
    /// AWS_ variables for s3; username and password for postgres; and ca.crt where servers show certificates of a CA of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret: Option<String>,
}

/// Rows to read: another step's dataset, or data at a URI.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.uri) != has(self.step)").message("exactly one of step and uri says where the rows are"))]
#[x_kube(validation = Rule::new("!has(self.step) || !(has(self.format) || has(self.columns) || has(self.sha256) || has(self.secret))").message("format, columns, sha256 and secret go with a uri: a step's dataset knows its own"))]
#[serde(rename_all = "camelCase")]
pub struct DataReference {
    /// The step whose dataset to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub step: Option<String>,
    /// Where the data are: http(s)://…, s3://BUCKET/KEY, postgres://HOST[:PORT]/DATABASE/[SCHEMA.]TABLE, or file:PATH, a path on
    /// the pipeline's volume. In keys and paths, * stands for any part of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub uri: Option<String>,
    /// The data's format; by the uri's extension when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The columns' names, for a CSV file that has no header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub columns: Vec<String>,
    /// Refuse any data but those with this SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
    /// The Secret, in the pipeline's namespace, with the credentials for the uri: username and password, or token, for http; the
    /// AWS_ variables for s3; username and password for postgres; and ca.crt where servers show certificates of a CA of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret: Option<String>,
}

/// A format of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// Comma-separated values (RFC 4180) in UTF-8.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The extension of files of this format, without its dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }
}

/// One thing that must hold of the result: an SQL query with the value it must give, or rules for a column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.sql) != has(self.column)").message("a check has exactly one of sql and column"))]
#[x_kube(validation = Rule::new("!has(self.sql) || (has(self.equals) && !(has(self.notNull) || has(self.unique) || has(self.oneOf) || has(self.min) || has(self.max)))").message("an sql check has equals, and none of notNull, unique, oneOf, min and max"))]
#[x_kube(validation = Rule::new("!has(self.column) || (!has(self.equals) && (has(self.notNull) || has(self.unique) || has(self.oneOf) || has(self.min) || has(self.max)))").message("a column check has at least one of notNull, unique, oneOf, min and max, and no equals"))]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What to call the check in messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub name: Option<String>,
    /// A query over the table `output` that gives one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub sql: Option<String>,
    /// The number that the query must give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<f64>,
    /// The column that the rules beside it speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub column: Option<String>,
    /// No row has a null there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_null: Option<bool>,
    /// No value occurs twice; nulls do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// The values that may occur, as text; nulls do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), extend("x-kubernetes-list-type" = "atomic"), inner(length(max = 1024)))]
    pub one_of: Option<Vec<String>>,
    /// The smallest value that may occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that may occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// How a table is written, and where it is delivered beside the dataset of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.secret) || has(self.uri)").message("secret holds the credentials for a uri: name one, or leave secret out"))]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The format of the dataset, and of an object that it is delivered as; by the uri's extension, else Parquet, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Where to deliver the result too: s3://BUCKET/KEY, an object that is replaced as a whole, or
    /// postgres://HOST[:PORT]/DATABASE/[SCHEMA.]TABLE, a table whose rows are replaced in one transaction. The step owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub uri: Option<String>,
    /// The Secret, in the pipeline's namespace, with the credentials for the uri, under the same keys as an input's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret: Option<String>,
}
