//! ConfigMaps and Secrets that stand in the given files, and values of a file of variables.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;
use serde_json::Value;

use super::yaml::{Content, Entry, Node};

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

/// Entries of one ConfigMap or Secret: their text, or why there is none. A file may hold entries that no step needs as text, such as
/// certificates of another program or what a tool fills in later.
pub type Entries = BTreeMap<String, Result<SecretText, NotText>>;

/// Why an entry cannot be read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// It is of another type than text.
    #[error("is not text: put its value in quotes")]
    OtherType,
    /// It stands in data of a Secret, and is not base64.
    #[error(
        "is not base64, as of a file that a tool has yet to decrypt or fill in: write its value in clear under stringData in a file for this machine"
    )]
    NotBase64,
    /// Its bytes are not UTF-8.
    #[error("holds bytes that are not UTF-8 text, which no variable can have")]
    Binary,
}

/// What steps may refer to, by kind and name.
#[derive(Debug, Default)]
pub struct Objects {
    found: BTreeMap<(&'static str, String), Entries>,
    defaults: BTreeMap<String, SecretText>,
}

impl Objects {
    /// Takes the entries of a ConfigMap or Secret.
    ///
    /// # Errors
    /// What is wrong with the object as a whole; never with a value in it.
    pub(super) fn add(&mut self, kind: &str, node: &Node) -> Result<(), String> {
        let kind = if kind == "Secret" { "Secret" } else { "ConfigMap" };
        let named = node.get("metadata").and_then(|metadata| metadata.get("name"));
        let name = named.and_then(Node::text).ok_or("metadata.name is missing, or is not text")?;
        let mut entries = Entries::new();
        // What is in binaryData of a ConfigMap never becomes a variable.
        let texts: &[&str] = if kind == "Secret" { &["data", "stringData"] } else { &["data"] };
        for field in texts {
            let Some(data) = node.get(field).filter(|data| !data.is_null()) else { continue };
            let Content::Map(found) = &data.content else {
                return Err(format!("{field} is not a map"));
            };
            let is_encoded = (kind, *field) == ("Secret", "data");
            let read = |entry: &Entry| {
                let text = match &entry.value.content {
                    Content::Text(text) => text.as_str(),
                    Content::Null => "",
                    _ => return Err(NotText::OtherType),
                };
                if is_encoded { decoded(text) } else { Ok(text.to_owned().into()) }
            };
            entries.extend(found.iter().map(|entry| (entry.key.text.clone(), read(entry))));
        }
        self.found.insert((kind, name.to_owned()), entries);
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
                .ok_or_else(|| format!("line {} is not a valid NAME=VALUE", index + 1))?;
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
    pub fn entry(&self, kind: &'static str, name: &str, key: &str) -> Option<Result<&SecretText, NotText>> {
        let found = self.entries(kind, name).and_then(|entries| entries.get(key));
        let found = found.map(|entry| entry.as_ref().map_err(|problem| *problem));
        match (found, self.defaults.get(key)) {
            // A variable that was named for this machine stands in for what cannot be read.
            (None | Some(Err(_)), Some(own)) => Some(Ok(own)),
            (found, _) => found,
        }
    }

    /// The variables that every step gets.
    #[must_use]
    pub fn defaults(&self) -> &BTreeMap<String, SecretText> {
        &self.defaults
    }
}

/// The text that stands in base64.
fn decoded(text: &str) -> Result<SecretText, NotText> {
    // Kubernetes' own type knows which base64 it takes.
    let bytes: ByteString =
        serde_json::from_value(Value::String(text.trim().to_owned())).map_err(|_| NotText::NotBase64)?;
    let text = String::from_utf8(bytes.0).map_err(|_| NotText::Binary)?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::yaml::read_documents;
    use super::*;

    #[test]
    fn variables_are_read_and_never_shown() {
        let mut objects = Objects::default();
        objects.add_defaults("# comment\n\nA=1\nexport B = \"two words\" \nC='x=y'\n").expect("variables");
        let shown: Vec<(&str, &str)> =
            objects.defaults().iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(shown, [("A", "1"), ("B", "two words"), ("C", "x=y")]);
        assert!(!format!("{objects:?}").contains("two words"));
        assert_eq!(
            objects.add_defaults("A=1\nhunter2\n"),
            Err("line 2 is not a valid NAME=VALUE".to_owned())
        );
    }

    #[test]
    fn entries_that_are_no_text_do_not_keep_the_others_from_being_read() {
        let text = "kind: Secret\nmetadata: {name: s}\ndata: {plain: YQ==, keystore.jks: /u3+7Q==, sealed: '<path:kv/data#key>', \
                    number: 5, empty: , yes: Yg==}\nstringData: {clear: b}\n";
        let node = read_documents(text.as_bytes()).remove(0).expect("YAML");
        let mut objects = Objects::default();
        objects.add("Secret", &node).expect("a Secret");
        let read = |key: &str| objects.entry("Secret", "s", key).map(|entry| entry.map(SecretText::reveal));
        for (key, expected) in [
            ("plain", Some(Ok("a"))),
            ("keystore.jks", Some(Err(NotText::Binary))),
            ("sealed", Some(Err(NotText::NotBase64))),
            ("number", Some(Err(NotText::OtherType))),
            ("empty", Some(Ok(""))),
            // As kubectl sends it.
            ("true", Some(Ok("b"))),
            ("yes", None),
            ("clear", Some(Ok("b"))),
        ] {
            assert_eq!(read(key), expected, "{key}");
        }
        objects.add_defaults("sealed=own\n").expect("variables");
        let own = objects.entry("Secret", "s", "sealed").map(|entry| entry.map(SecretText::reveal));
        assert_eq!(own, Some(Ok("own")));
    }
}
