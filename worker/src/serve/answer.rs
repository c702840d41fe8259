//! Writes predictions as the JSON that `/predict` answers.
//!
//! Owns the answer's form: `{"species_index":0,"species_name":"setosa","probabilities":{"setosa":0.98,…}}` for a class,
//! `{"price":12.3}` for a number, `{"cluster":2,"distance":0.4}` without a target. Everything that is the same for each row is written once, when the model is loaded.

use crate::model::{Label, Predictions, Target};

/// The parts of an answer that do not depend on the row, as JSON.
#[derive(Clone, Debug)]
pub struct AnswerForm {
    /// For each class, all that precedes the probabilities; for a number, its key; for each answer of a finding, the answer.
    beginnings: Vec<Vec<u8>>,
    /// For each class, its key among the probabilities; for each number of a finding, its key.
    keys: Vec<Vec<u8>>,
}

impl AnswerForm {
    /// The form of the answers about a target.
    #[must_use]
    pub fn new(target: &Target) -> Self {
        let name = target.name();
        let labels: Vec<String> = target.labels().iter().map(ToString::to_string).collect();
        let class = |(index, label): (usize, &String)| {
            let keys = [json_text(&format!("{name}_index")), json_text(&format!("{name}_name"))];
            format!("{{{}:{index},{}:{},\"probabilities\":{{", keys[0], keys[1], json_text(label))
                .into_bytes()
        };
        let beginnings = match target {
            Target::Class { .. } => labels.iter().enumerate().map(class).collect(),
            Target::Number { .. } => vec![format!("{{{}:", json_text(name)).into_bytes()],
            Target::Finding(finding) => {
                let answer = |answer: Label| {
                    format!("{{{}:{},", json_text(name), serde_json::json!(answer)).into_bytes()
                };
                finding.answers().into_iter().map(answer).collect()
            }
        };
        let keys = match target {
            Target::Class { .. } | Target::Number { .. } => labels,
            Target::Finding(finding) => finding.numbers(),
        };
        Self {
            beginnings,
            keys: keys.iter().map(|key| format!("{}:", json_text(key)).into_bytes()).collect(),
        }
    }

    /// The answer for predictions of a model with this form's target: an object where one object was sent, else a list.
    #[must_use]
    pub fn write(&self, predictions: &Predictions, single: bool) -> Vec<u8> {
        let row_size = self.beginnings.first().map_or(0, Vec::len)
            + self.keys.iter().map(|key| key.len() + 24).sum::<usize>();
        let mut json = Vec::with_capacity(predictions.len().saturating_mul(row_size + 24).min(16 << 20));
        if !single {
            json.push(b'[');
        }
        match predictions {
            Predictions::Classes { index, probabilities } => {
                for (row, (class, probabilities)) in index.iter().zip(probabilities.rows()).enumerate() {
                    separate(&mut json, row);
                    json.extend_from_slice(self.beginnings.get(*class).map_or(&[], Vec::as_slice));
                    for (column, (key, probability)) in self.keys.iter().zip(probabilities).enumerate() {
                        separate(&mut json, column);
                        json.extend_from_slice(key);
                        number(&mut json, *probability);
                    }
                    json.extend_from_slice(b"}}");
                }
            }
            Predictions::Numbers(numbers) => {
                for (row, value) in numbers.iter().enumerate() {
                    separate(&mut json, row);
                    json.extend_from_slice(self.beginnings.first().map_or(&[], Vec::as_slice));
                    number(&mut json, *value);
                    json.push(b'}');
                }
            }
            Predictions::Findings { index, numbers } => {
                for (row, numbers) in numbers.rows().into_iter().enumerate() {
                    separate(&mut json, row);
                    let answer = index.get(row).and_then(|answer| self.beginnings.get(*answer));
                    json.extend_from_slice(answer.map_or(b"{", Vec::as_slice));
                    for (column, (key, value)) in self.keys.iter().zip(numbers).enumerate() {
                        separate(&mut json, column);
                        json.extend_from_slice(key);
                        number(&mut json, *value);
                    }
                    json.push(b'}');
                }
            }
        }
        if !single {
            json.push(b']');
        }
        json
    }
}

fn separate(json: &mut Vec<u8>, index: usize) {
    if index > 0 {
        json.push(b',');
    }
}

/// The shortest text that reads back as the same double; predictions are finite.
fn number(json: &mut Vec<u8>, value: f64) {
    // Writing a number to memory cannot fail.
    let _ = serde_json::to_writer(json, &value);
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::model::Finding;

    fn text(form: &AnswerForm, predictions: &Predictions, single: bool) -> String {
        String::from_utf8(form.write(predictions, single)).expect("JSON is UTF-8")
    }

    fn species() -> Target {
        let labels = ["setosa", "versi\"color"].map(|label| Label::Text(label.into())).to_vec();
        Target::Class { name: "species".into(), labels }
    }

    #[test]
    fn a_class_comes_with_index_name_and_probabilities_in_this_order() {
        let form = AnswerForm::new(&species());
        let probabilities = array![[0.1 + 0.2, 1e-20], [0.0, 1.0]];
        let predictions = Predictions::Classes { index: vec![0, 1], probabilities };
        let first = r#"{"species_index":0,"species_name":"setosa","probabilities":{"setosa":0.30000000000000004,"versi\"color":1e-20}}"#;
        let second = r#"{"species_index":1,"species_name":"versi\"color","probabilities":{"setosa":0.0,"versi\"color":1.0}}"#;
        assert_eq!(text(&form, &predictions, false), format!("[{first},{second}]"));
    }

    #[test]
    fn one_object_is_answered_by_one_object() {
        let form = AnswerForm::new(&species());
        let predictions = Predictions::Classes { index: vec![0], probabilities: array![[1.0, 0.0]] };
        assert!(text(&form, &predictions, true).starts_with(r#"{"species_index":0,"#));
    }

    #[test]
    fn a_number_is_named_by_the_target() {
        let form = AnswerForm::new(&Target::Number { name: "pri\"ce".into(), min: 0.0, max: 1.0 });
        assert_eq!(text(&form, &Predictions::Numbers(array![12.3]), true), r#"{"pri\"ce":12.3}"#);
        assert_eq!(
            text(&form, &Predictions::Numbers(array![1.0, -0.5]), false),
            r#"[{"pri\"ce":1.0},{"pri\"ce":-0.5}]"#
        );
    }

    #[test]
    fn what_is_found_without_a_target_has_names_of_its_own() {
        let form = AnswerForm::new(&Target::Finding(Finding::Clusters { count: 3 }));
        let predictions = Predictions::Findings { index: vec![2, 0], numbers: array![[0.5], [4.0]] };
        let expected = r#"[{"cluster":2,"distance":0.5},{"cluster":0,"distance":4.0}]"#;
        assert_eq!(text(&form, &predictions, false), expected);
        let form = AnswerForm::new(&Target::Finding(Finding::Outliers));
        let predictions = Predictions::Findings { index: vec![1], numbers: array![[0.75]] };
        assert_eq!(text(&form, &predictions, true), r#"{"anomaly":"outlier","anomaly_score":0.75}"#);
        let form = AnswerForm::new(&Target::Finding(Finding::Components { count: 2 }));
        let predictions = Predictions::Findings { index: Vec::new(), numbers: array![[0.5, -1.0]] };
        assert_eq!(text(&form, &predictions, true), r#"{"component_1":0.5,"component_2":-1.0}"#);
    }

    #[test]
    fn classes_that_are_no_text_are_named_by_their_text() {
        let labels = [0, 1].map(Label::Integer).to_vec();
        let form = AnswerForm::new(&Target::Class { name: "y".into(), labels });
        let predictions = Predictions::Classes { index: vec![1], probabilities: array![[0.25, 0.75]] };
        let expected = r#"{"y_index":1,"y_name":"1","probabilities":{"0":0.25,"1":0.75}}"#;
        assert_eq!(text(&form, &predictions, true), expected);
    }
}
