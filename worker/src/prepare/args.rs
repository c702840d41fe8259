//! The prepare command: the same work as a prepare step, on the user's own files.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mlpipeline_crds::{Check, DataSource, Format, OnMismatch, PrepareInput};

use super::check_text::{parse_check, parse_check_sql};
use super::{PrepareError, make, write_rows};
use crate::WorkContext;
use crate::credentials::Secrets;
use crate::deliver::{OutPlace, format_of_out, is_stdout};
use crate::failure::{STANDARD_OUTPUT, StepError};
use crate::flags::{TableFormat, WorkFlags, parse_reading};
use crate::stderr::say;
use crate::table::{TableError, local_uri};

/// Make a table from tables with SQL, and check it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  mlpipeline-worker prepare --input iris=iris.csv --out iris.parquet
  mlpipeline-worker prepare --input iris=https://example.com/iris.data --columns iris=a,b,c,d,species --format iris=csv \\
    --sql 'SELECT DISTINCT * FROM iris WHERE a IS NOT NULL' --check 'species notNull oneOf=setosa,virginica' --out iris.csv
  mlpipeline-worker prepare --input 'logs=logs/*.ndjson.gz' --sql 'SELECT level, count(*) AS n FROM logs GROUP BY level' --out -
  mlpipeline-worker prepare --input orders=postgres://db/shop/orders --out s3://lake/orders.parquet
  mlpipeline-worker prepare --input files=listing.txt --pattern 'files=^(?<mode>\\S+) +(?<links>\\d+) .* (?<file>\\S+)$' \\
    --skip-mismatch files --out files.csv

Tables keep the order of their files and rows unless the SQL orders them. CSV is read strictly: UTF-8, a header unless
--columns names the columns, the same number of fields in every row; an empty field is null.

Credentials come from the environment: MLPIPELINE_SECRET_INPUT_NAME_KEY for the table NAME and MLPIPELINE_SECRET_OUTPUT_KEY for --out, KEY
being username, password, token, ca.crt, sslmode, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or
AWS_ENDPOINT_URL. Without them, s3:// takes the AWS_ variables as they are, and postgres:// PGUSER, PGPASSWORD and PGSSLMODE.")]
pub struct PrepareArgs {
    /// A table: its name in the SQL, and its file (* stands for any part of a name) or URL. May be given several times.
    #[arg(long = "input", value_name = "NAME=FILE_OR_URL", value_parser = parse_pair)]
    pub inputs: Vec<(String, String)>,
    /// The columns of a table whose CSV has no header.
    #[arg(long, value_name = "NAME=A,B,…", value_parser = parse_pair)]
    pub columns: Vec<(String, String)>,
    /// The format of a table: csv, ndjson, parquet or text; by the extension when absent.
    #[arg(long, value_name = "NAME=FORMAT", value_parser = parse_pair)]
    pub format: Vec<(String, String)>,
    /// The columns of a table of text lines: a regular expression whose named groups, (?<name>…), they are.
    #[arg(long, value_name = "NAME=REGEX", value_parser = parse_pair)]
    pub pattern: Vec<(String, String)>,
    /// A table in which lines without the pattern are left out; they fail the command otherwise.
    #[arg(long, value_name = "NAME")]
    pub skip_mismatch: Vec<String>,
    /// How the text of a table is read, as `reading` of a pipeline in JSON: sales={"delimiter":";","decimal":","}.
    #[arg(long, value_name = "NAME=JSON", value_parser = parse_pair)]
    pub reading: Vec<(String, String)>,
    /// The only content of a table that is accepted.
    #[arg(long, value_name = "NAME=DIGEST", value_parser = parse_pair)]
    pub sha256: Vec<(String, String)>,
    /// One SELECT over the tables; absent, the only table is copied.
    #[arg(long, conflicts_with = "sql_file")]
    pub sql: Option<String>,
    /// A file with the SELECT.
    #[arg(long, value_name = "FILE")]
    pub sql_file: Option<PathBuf>,
    /// What must hold of a column of the result: COLUMN and rules among notNull, unique, oneOf=A,B, min=N and max=N.
    #[arg(long = "check", value_name = "COLUMN RULE…", value_parser = parse_check)]
    pub checks: Vec<Check>,
    /// What a query over the table output must give: SELECT … = NUMBER.
    #[arg(long = "check-sql", value_name = "SELECT … = NUMBER", value_parser = parse_check_sql)]
    pub check_sql: Vec<Check>,
    /// The file to write, or s3:// or postgres:// URL to deliver to; its extension says the format, and .gz or .zst behind it compresses. - is
    /// CSV on standard output.
    #[arg(long, short, value_name = "FILE_OR_URL")]
    pub out: PathBuf,
    /// The format to write, where the extension does not say it.
    #[arg(long, value_enum)]
    pub out_format: Option<TableFormat>,
    /// Resources and network.
    #[command(flatten)]
    pub work: WorkFlags,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("write it as NAME=VALUE, for example iris=iris.csv".to_owned()),
    }
}

impl PrepareArgs {
    /// Does the work, and says on stderr what was written.
    ///
    /// # Errors
    /// When an input, the query, a check or the output fails.
    pub async fn run(&self, context: &WorkContext) -> Result<(), StepError> {
        let inputs = self.sources(&context.secrets)?;
        let sql = self.query()?;
        let checks: Vec<Check> = self.checks.iter().chain(&self.check_sql).cloned().collect();
        let format = format_of_out(&self.out, self.out_format.map(Format::from))?;
        if is_stdout(&self.out) && checks.is_empty() {
            let output = (io::stdout(), Path::new(STANDARD_OUTPUT));
            write_rows(&inputs, sql.as_deref(), format, output, context).await?;
            return Ok(());
        }
        let out = OutPlace::begin(&self.out, format, context)?;
        let written = make(&inputs, sql.as_deref(), &checks, format, out.path(), context).await?;
        out.publish(format, &written, context).await?;
        if io::stderr().is_terminal() {
            say(&format!("{} rows in {}", written.rows, self.out.display()));
        }
        Ok(())
    }

    fn sources(&self, secrets: &Secrets) -> Result<Vec<PrepareInput>, StepError> {
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (name, place) in &self.inputs {
            if inputs.iter().any(|input: &PrepareInput| input.name == *name) {
                return Err(PrepareError::Query(format!("there are two inputs called \"{name}\"")).into());
            }
            let columns = of(&self.columns, name).map(|text| text.split(',').map(str::to_owned).collect());
            let source = DataSource::Uri {
                uri: local_uri(place)?,
                format: of(&self.format, name).map(format_named).transpose()?,
                columns: columns.unwrap_or_default(),
                pattern: of(&self.pattern, name).map(str::to_owned),
                on_mismatch: self.skip_mismatch.contains(name).then_some(OnMismatch::Skip),
                reading: of(&self.reading, name)
                    .map(parse_reading)
                    .transpose()
                    .map_err(|problem| PrepareError::Query(format!("--reading {name}: {problem}")))?
                    .map(Box::new),
                sha256: of(&self.sha256, name).map(str::to_lowercase),
                credentials: secrets.prefix_if_any(&format!("MLPIPELINE_SECRET_INPUT_{name}_")),
            };
            inputs.push(PrepareInput { name: name.clone(), source });
        }
        let known: BTreeMap<&str, ()> = inputs.iter().map(|input| (input.name.as_str(), ())).collect();
        let pairs = self
            .columns
            .iter()
            .chain(&self.format)
            .chain(&self.pattern)
            .chain(&self.reading)
            .chain(&self.sha256);
        for name in pairs.map(|(name, _)| name).chain(&self.skip_mismatch) {
            if !known.contains_key(name.as_str()) {
                let names: Vec<&str> = known.keys().copied().collect();
                let text =
                    format!("there is no input called \"{name}\"; the inputs are {}", names.join(", "));
                return Err(PrepareError::Query(text).into());
            }
        }
        Ok(inputs)
    }

    fn query(&self) -> Result<Option<String>, StepError> {
        match &self.sql_file {
            None => Ok(self.sql.clone()),
            Some(path) => {
                Ok(Some(std::fs::read_to_string(path).map_err(|error| {
                    PrepareError::Query(format!("cannot read {}: {error}", path.display()))
                })?))
            }
        }
    }
}

fn of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn format_named(name: &str) -> Result<Format, StepError> {
    if name.eq_ignore_ascii_case(Format::Text.name()) {
        return Ok(Format::Text);
    }
    TableFormat::from_str(name, true).map(Format::from).map_err(|_| {
        TableError::Source(format!("\"{name}\" is not a format; there are csv, ndjson, parquet and text"))
            .into()
    })
}
