//! ConfigMaps and Secrets that stand in the given files, and values of a file of variables.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use super::yaml::Node;

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// The value itself, to be handed to a process and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// Entries of one ConfigMap or Secret.
pub type Entries = BTreeMap<String, SecretText>;

/// What steps may refer to, by kind and name.
#[derive(Debug, Default)]
pub struct Objects {
    found: BTreeMap<(&'static str, String), Entries>,
    defaults: Entries,
}

impl Objects {
    /// Takes the entries of a ConfigMap or Secret.
    ///
    /// # Errors
    /// What is wrong with the object; never with a value in it.
    pub(super) fn add(&mut self, kind: &str, node: &Node) -> Result<(), String> {
        // A message of the decoder may show what it found, and what it found may be secret.
        let wrong =
            |_| "data must be a map of text, in base64 for a Secret, or in clear under stringData".to_owned();
        let (kind, name, entries): (_, _, Result<Entries, String>) = if kind == "Secret" {
            let secret: Secret = serde_json::from_value(node.to_json()).map_err(wrong)?;
            let encoded = secret.data.unwrap_or_default().into_iter().map(|(key, value)| {
                let text =
                    String::from_utf8(value.0).map_err(|_| format!("the entry {key} is not UTF-8 text"))?;
                Ok((key, text.into()))
            });
            let clear =
                secret.string_data.unwrap_or_default().into_iter().map(|(key, text)| Ok((key, text.into())));
            ("Secret", secret.metadata.name, encoded.chain(clear).collect())
        } else {
            let map: ConfigMap = serde_json::from_value(node.to_json())
                .map_err(|_| "data must be a map of text".to_owned())?;
            let entries = map.data.unwrap_or_default().into_iter().map(|(key, text)| Ok((key, text.into())));
            ("ConfigMap", map.metadata.name, entries.collect())
        };
        let name = name.ok_or("metadata.name is missing")?;
        self.found.insert((kind, name), entries?);
        Ok(())
    }

    /// Takes variables, one NAME=VALUE a line, that stand in for what no object defines and that every step gets.
    ///
    /// # Errors
    /// Names the line that is not a valid variable; never what is on it.
    pub fn add_defaults(&mut self, text: &str) -> Result<(), String> {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line
                .split_once('=')
                .filter(|(name, _)| !name.trim().is_empty() && !name.trim().contains(char::is_whitespace))
                .ok_or_else(|| format!("line {} is no NAME=VALUE", index + 1))?;
            let value = value.trim();
            let quoted =
                ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            self.defaults.insert(name.trim().to_owned(), quoted.unwrap_or(value).to_owned().into());
        }
        Ok(())
    }

    /// The entries of an object.
    #[must_use]
    pub fn entries(&self, kind: &'static str, name: &str) -> Option<&Entries> {
        self.found.get(&(kind, name.to_owned()))
    }

    /// One entry of an object, or the variable of the same name where no object has it.
    #[must_use]
    pub fn entry(&self, kind: &'static str, name: &str, key: &str) -> Option<&SecretText> {
        self.entries(kind, name).and_then(|entries| entries.get(key)).or_else(|| self.defaults.get(key))
    }

    /// The variables that every step gets.
    #[must_use]
    pub fn defaults(&self) -> &Entries {
        &self.defaults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_never_shown() {
        let mut objects = Objects::default();
        objects.add_defaults("# comment\n\nA=1\nexport B = \"two words\" \nC='x=y'\n").expect("variables");
        let shown: Vec<(&str, &str)> =
            objects.defaults().iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(shown, [("A", "1"), ("B", "two words"), ("C", "x=y")]);
        assert!(!format!("{objects:?}").contains("two words"));
        assert_eq!(objects.add_defaults("A=1\nhunter2\n"), Err("line 2 is no NAME=VALUE".to_owned()));
    }
}
