//! A step as process arguments.

use super::StepSpec;

/// The most bytes of one process argument that a step is handed over in. Linux refuses an argument of 128 KiB.
const ARGUMENT_LIMIT: usize = 100 << 10;

impl StepSpec {
    /// [`StepSpec::to_json`] as arguments of the worker's `step` command, which joins them: a long step has several, since Linux
    /// limits a single one. None begins with `-` or `@`, which the command would take for a flag or a file.
    ///
    /// # Errors
    /// As [`StepSpec::to_json`].
    pub fn to_arguments(&self) -> Result<Vec<String>, serde_json::Error> {
        Ok(into_arguments(&self.to_json()?, ARGUMENT_LIMIT))
    }
}

/// Splits a text into parts of at most so many bytes, none of which begins with `-` or `@`.
fn into_arguments(text: &str, limit: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > limit {
        let fits = |end: &usize| rest.get(*end..).is_some_and(|behind| !behind.starts_with(['-', '@']));
        // A text of nothing but dashes has no such place; a part without one is better than none at all.
        let end = (1..=limit).rev().find(fits).unwrap_or_else(|| rest.floor_char_boundary(limit).max(1));
        let Some((part, behind)) = rest.split_at_checked(end) else { break };
        parts.push(part.to_owned());
        rest = behind;
    }
    parts.push(rest.to_owned());
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_step_is_split_into_arguments_that_together_are_the_step() {
        let spec = json!({
            "version": 1, "namespace": "ml", "pipeline": "iris", "step": "data",
            "revision": {"fixed": "0123456789ab"},
            "action": {"prepare": {"sql": format!("SELECT '{}'", "é-@".repeat(100_000)), "format": "csv"}},
        });
        let spec: StepSpec = serde_json::from_value(spec).expect("a step");
        let arguments = spec.to_arguments().expect("arguments");
        assert_eq!(arguments.concat(), spec.to_json().expect("JSON"));
        assert!(arguments.len() > 3, "{}", arguments.len());
        for argument in &arguments {
            assert!(argument.len() <= ARGUMENT_LIMIT && !argument.starts_with(['-', '@']), "{argument:.9}");
        }
        assert_eq!(into_arguments("a-b", 1).concat(), "a-b");
        assert_eq!(into_arguments("----", 2).concat(), "----");
        assert_eq!(into_arguments("", 2), [""]);
    }
}
