//! Tables of specs and of what is said of them, which read as documentation.
//!
//! A row begins with `# what it shows`. Lines that are not indented are the YAML of a spec (`metadata.name = X` aside, which names the
//! pipeline, and `metadata = {…}`, which is all of its metadata); indented lines are what is said of it, all of it.

#![allow(clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "a table that differs is written beside the build")]

use mlpipeline_crds::MLPipeline;

/// The metadata of a pipeline that a row does not name.
const UNNAMED: &str = "{name: iris}";

/// The table with what is really said in place of what it claims. `said` is given the resource and the YAML of its spec.
pub fn played(table: &str, said: impl Fn(&MLPipeline, &str) -> Vec<String>) -> String {
    let mut text = String::new();
    let (mut metadata, mut yaml) = (UNNAMED.to_owned(), String::new());
    let mut lines = table.lines().filter(|line| !line.starts_with("  ")).peekable();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if line.starts_with("# ") {
            (metadata, yaml) = (UNNAMED.to_owned(), String::new());
        } else if let Some(given) = line.strip_prefix("metadata.name = ") {
            metadata = format!("{{name: {given}}}");
        } else if let Some(given) = line.strip_prefix("metadata = ") {
            given.clone_into(&mut metadata);
        } else if !line.is_empty() {
            yaml.push_str(line);
            yaml.push('\n');
            if lines.peek().is_none_or(|next| next.is_empty()) {
                // YAML has .nan and .inf, which JSON has not: so it is read as a spec at once.
                let document: String = yaml.lines().map(|line| format!("  {line}\n")).collect();
                let document = format!(
                    "apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: {metadata}\nspec:\n{document}"
                );
                let resource: MLPipeline =
                    serde_saphyr::from_str(&document).unwrap_or_else(|error| panic!("{document}\n{error}"));
                said(&resource, &yaml).iter().for_each(|line| text.push_str(&format!("  {line}\n")));
            }
        }
    }
    text
}

/// Fails where the table claims something else than what is said, and writes what that is beside the build.
pub fn compare(file: &str, table: &str, really: &str) {
    if table == really {
        return;
    }
    let path = format!("{}/{file}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, really).expect("the folder for tests can be written");
    let first = table.lines().zip(really.lines()).find(|(claimed, really)| claimed != really);
    panic!("see what is really said with: diff operator/core/tests/{file} {path}\n{first:#?}");
}
