//! One text for one JSON document, whatever order its fields were written in.
//!
//! Hashes are taken of it, so it must not depend on how a JSON library keeps its maps: that is a build setting which any
//! dependency can change.

use serde::Serialize;
use serde_json::Value;

/// The document with the fields of every object in the order of their names and no white space.
#[must_use]
pub fn canonical_json(document: &impl Serialize) -> String {
    let mut text = String::new();
    // Plain data with text keys always serialise.
    write(&serde_json::to_value(document).unwrap_or_default(), &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical_json;

    #[derive(serde::Serialize)]
    struct Unordered {
        zebra: Vec<Option<u8>>,
        apple: &'static str,
    }

    #[test]
    fn fields_come_in_the_order_of_their_names() {
        let document = Unordered { zebra: vec![Some(1), None], apple: "\"é" };
        assert_eq!(canonical_json(&document), r#"{"apple":"\"é","zebra":[1,null]}"#);
    }
}
