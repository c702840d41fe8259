//! One mistake in a file, for people and for programs.

use std::fmt;
use std::path::Path;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::yaml::Position;

/// The most bytes of each text of a mistake, but for the mark of a cut: a file's own texts are repeated in it, and may be as long as the file.
const TEXT_LIMIT: usize = 2 << 10;

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named.
    pub file: String,
    /// Where in it, if that is known.
    pub at: Option<Position>,
    /// The pipeline, as namespace/name, if it is one.
    pub pipeline: Option<String>,
    /// The field: "spec.steps[2].train.target"; empty for the document or file as a whole.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What is allowed, or what to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake of a file as a whole.
    #[must_use]
    pub fn of_file(file: &Path, problem: impl Into<String>) -> Self {
        Self {
            file: file.display().to_string(),
            at: None,
            pipeline: None,
            path: String::new(),
            problem: problem.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Cuts what is too long to be read.
    pub(super) fn shorten(&mut self) {
        for text in
            [&mut self.path, &mut self.problem].into_iter().chain(&mut self.pipeline).chain(&mut self.hint)
        {
            if text.len() > TEXT_LIMIT {
                text.truncate(text.floor_char_boundary(TEXT_LIMIT));
                text.push('…');
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.file)?;
        if let Some(at) = self.at {
            write!(formatter, "{}:{}:", at.line, at.column)?;
        }
        if !self.path.is_empty() {
            write!(formatter, " {}", self.path)?;
            // What begins with a verb speaks of the field; anything else follows a colon.
            let speaks_of_it =
                ["is ", "has ", "must ", "goes ", "needs ", "does ", "cannot ", "and ", "sets "]
                    .iter()
                    .any(|verb| self.problem.starts_with(verb));
            if !speaks_of_it {
                formatter.write_str(":")?;
            }
        }
        write!(formatter, " {}", self.problem)?;
        match &self.hint {
            Some(hint) => write!(formatter, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Problem", 7)?;
        object.serialize_field("file", &self.file)?;
        object.serialize_field("line", &self.at.map(|at| at.line))?;
        object.serialize_field("column", &self.at.map(|at| at.column))?;
        object.serialize_field("pipeline", &self.pipeline)?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("problem", &self.problem)?;
        object.serialize_field("hint", &self.hint)?;
        object.end()
    }
}
