//! prepare — extract, transform, check.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::step_work::StepWork;
use crate::{
    CheckNumber, DataSource, Delivery, Digest, Format, OLDEST_STEP_SPEC_VERSION, OnMismatch, Reading,
};

/// Extract, transform and check data; the result is a dataset of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.sql) || (has(self.inputs) && self.inputs.size() == 1)").message("without sql, exactly one input is copied: write sql to say what becomes of several inputs or of none"))]
#[x_kube(validation = Rule::new("!has(self.continuous) || (has(self.inputs) && self.inputs.size() == 1 && !has(self.inputs[0].sha256) && (!has(self.inputs[0].uri) || self.inputs[0].uri.startsWith('file:')))").message("a continuous step has exactly one input, a file: uri or another continuous step, without sha256").field_path(".continuous"))]
#[x_kube(validation = Rule::new("!has(self.continuous) || !has(self.output) || !has(self.output.uri) || self.output.uri.matches('^https?://')").message("continuous steps send results over http or hand them to another step: one object or table would hold those of the last file only").field_path(".output.uri"))]
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
    /// Run all the time, and process each new file of the only input exactly once. The input is file:PATH, in which * stands
    /// for any part of a name, or another continuous step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous: Option<Continuous>,
}

/// Declares a struct whose fields, beside its own, say where rows are read from, with the rules of these fields.
// With `#[serde(flatten)]` serde would guess each value's type before it knows which one is asked for: in YAML, a `sha256` of digits
// alone would be read as a number and refused.
macro_rules! with_data_place {
    ($(#[$attribute:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        #[x_kube(validation = Rule::new("!has(self.step) || !(has(self.format) || has(self.columns) || has(self.pattern) || has(self.onMismatch) || has(self.reading) || has(self.sha256) || has(self.secret))").message("format, columns, pattern, onMismatch, reading, sha256 and secret go with a uri: a step's dataset knows its own"))]
        #[x_kube(validation = Rule::new("!has(self.pattern) || (!has(self.columns) && (!has(self.format) || self.format == 'text'))").message("pattern cuts the lines of a text file into columns: leave out columns and every other format"))]
        #[x_kube(validation = Rule::new("!has(self.format) || self.format != 'text' || has(self.pattern)").message("format text needs pattern, a regular expression whose named groups are the columns"))]
        #[x_kube(validation = Rule::new("!has(self.onMismatch) || has(self.pattern)").message("onMismatch goes with pattern").field_path(".onMismatch"))]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($own)*
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
            /// A text file's columns: a regular expression that is looked for in each line, whose named groups, (?<name>…), become
            /// columns of these names.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(length(min = 1, max = 2048))]
            pub pattern: Option<String>,
            /// What becomes of a line in which the pattern is not found; Fail when absent.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub on_mismatch: Option<OnMismatch>,
            /// How text is read where it is not the format's own way: delimiter, decimal sign, nulls, dates, types.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub reading: Option<Box<Reading>>,
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
    };
}

with_data_place! {
    /// One table to read: from a URI, or another step's dataset.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
    #[x_kube(validation = Rule::new("has(self.uri) != has(self.step)").message("an input has exactly one of uri and step"))]
    pub struct Input {
        /// The table's name in the SQL.
        #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
        pub name: String,
    }
}

impl Input {
    /// Where the table's rows are, without its name.
    #[must_use]
    pub fn reference(&self) -> DataReference {
        let Self { name: _, uri, step, format, columns, pattern, on_mismatch, reading, sha256, secret } =
            self.clone();
        DataReference { step, uri, format, columns, pattern, on_mismatch, reading, sha256, secret }
    }
}

with_data_place! {
    /// Rows to read: another step's dataset, or data at a URI.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
    #[x_kube(validation = Rule::new("has(self.uri) != has(self.step)").message("exactly one of step and uri says where the rows are"))]
    pub struct DataReference {}
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
    pub equals: Option<CheckNumber>,
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
    pub min: Option<CheckNumber>,
    /// The largest value that may occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<CheckNumber>,
}

impl Check {
    /// The same without rules that are written out and switched off.
    #[must_use]
    pub fn without_defaults(&self) -> Self {
        Self {
            not_null: self.not_null.filter(|asked| *asked),
            unique: self.unique.filter(|asked| *asked),
            ..self.clone()
        }
    }
}

/// How a table is written, and where it is delivered beside the dataset of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.secret) || has(self.uri)").message("secret holds the credentials for a uri: name one, or leave secret out"))]
#[x_kube(validation = Rule::new("!has(self.format) || self.format != 'text'").message("text is read, and not written: a result is csv, ndjson or parquet").field_path(".format"))]
#[x_kube(validation = Rule::new("!has(self.rowsPerRequest) || (has(self.uri) && self.uri.matches('^https?://'))").message("rowsPerRequest goes with an http or https uri").field_path(".rowsPerRequest"))]
#[x_kube(validation = Rule::new("!has(self.concurrentRequests) || (has(self.uri) && self.uri.matches('^https?://'))").message("concurrentRequests goes with an http or https uri").field_path(".concurrentRequests"))]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The format of the dataset, and of an object that it is delivered as; by an s3 uri's extension, else Parquet, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Where to deliver the result too, before the step counts as done: http(s)://…, which gets one POST a row, a JSON object, and
    /// may get a row more than once, each time with the same Idempotency-Key; s3://BUCKET/KEY, an object that is replaced as a
    /// whole; or postgres://HOST[:PORT]/DATABASE/[SCHEMA.]TABLE, a table whose rows are replaced in one transaction. The step
    /// owns such an object or table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub uri: Option<String>,
    /// The Secret, in the pipeline's namespace, with the credentials for the uri, under the same keys as an input's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret: Option<String>,
    /// How many rows a POST holds, as a JSON array of objects; absent, a POST is the object of one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub rows_per_request: Option<i32>,
    /// How many POSTs may wait for their answers at the same time; 1 when absent, which keeps the order of the rows. With more, rows
    /// arrive in any order, and after a failure those that followed the failed one are sent again, with the same Idempotency-Key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrent_requests: Option<i32>,
}

/// Processing files as they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.pollInterval) || (duration(self.pollInterval) >= duration('1s') && duration(self.pollInterval) <= duration('1h'))").message("pollInterval is 1s to 1h").field_path(".pollInterval"))]
#[serde(rename_all = "camelCase")]
pub struct Continuous {
    /// How long to wait between two looks for new files, from 1s to 1h: "5s", "1m30s"; 5s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 20), regex(pattern = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    pub poll_interval: Option<String>,
}

/// Make a dataset from inputs by SQL, check it, and publish it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareStep {
    /// The tables.
    #[serde(default)]
    pub inputs: Vec<PrepareInput>,
    /// The query; absent, the only input is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// What must hold of the result, which the checks know as the table `output`.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Do this for each file that the only input's uri names, now and later, until stopped. Publishes no artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous: Option<ContinuousStep>,
}

/// The folder below a continuous step's own, into which its results are renamed when they are whole.
pub const PUBLISHED_FOLDER: &str = "published";

/// How files are processed as they come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContinuousStep {
    /// Seconds between two looks for new files.
    pub poll_seconds: u32,
    /// How many processed files are kept.
    pub keep: u32,
}

/// One table of a prepare step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareInput {
    /// The table's name.
    pub name: String,
    /// Its rows.
    pub source: DataSource,
}

impl PrepareStep {
    /// The first version of the step spec that knows the kind.
    pub(crate) const SINCE: u32 = OLDEST_STEP_SPEC_VERSION;
}

impl StepWork for PrepareStep {
    fn lowest_version(&self) -> u32 {
        Self::SINCE
    }

    fn delivery(&self) -> Option<(&Delivery, Format)> {
        self.delivery.as_ref().map(|delivery| (delivery, self.format))
    }

    fn sources(&self) -> Vec<&DataSource> {
        self.inputs.iter().map(|input| &input.source).collect()
    }

    fn uris_mut(&mut self) -> Vec<&mut String> {
        let inputs = self.inputs.iter_mut().filter_map(|input| input.source.uri_mut());
        inputs.chain(self.delivery.as_mut().map(|delivery| &mut delivery.uri)).collect()
    }

    fn model_digest(&self) -> Option<&Digest> {
        None
    }

    fn writes(&self) -> bool {
        true
    }

    fn is_long_running(&self) -> bool {
        self.continuous.is_some()
    }
}
