use std::collections::BTreeMap;

use super::*;
use crate::model::{CenterPredictor, FeatureSchema};
use crate::preprocess::Preprocessing;
use crate::serve::test_models::{class, feature, limits, model};

fn iris() -> Model {
    let features = vec![
        feature("length", FeatureKind::Float),
        feature("count", FeatureKind::Integer),
        feature("wet", FeatureKind::Boolean),
    ];
    model(features, class("species", &["setosa", "versicolor"]))
}

fn iris_document(needs_key: bool) -> Value {
    document(&iris(), "0123456789ab", ServingLimits { needs_key, ..limits() })
}

#[test]
fn a_row_needs_every_feature_and_takes_no_other() {
    let row = &iris_document(false)["components"]["schemas"]["Row"];
    assert_eq!(row["required"], json!(["length", "count", "wet"]));
    assert_eq!(row["additionalProperties"], false);
    assert_eq!(row["properties"]["length"]["type"], "number");
    assert_eq!(row["properties"]["wet"]["type"], json!(["boolean", "number"]));
    assert_eq!(
        row["properties"]["count"]["description"],
        "Whole numbers from 0 to 8 in training, 3.333 on average"
    );
    assert_eq!(row["example"], json!({"length": 1.0, "count": 1.0, "wet": true}));
}

#[test]
fn a_request_is_one_row_or_as_many_as_the_server_takes() {
    let body = &iris_document(false)["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    assert_eq!(body["oneOf"][0]["$ref"], "#/components/schemas/Row");
    assert_eq!(body["oneOf"][1]["maxItems"], 1000);
}

#[test]
fn a_class_is_described_by_its_labels_and_a_number_by_its_name() {
    let schema = &iris_document(false)["components"]["schemas"]["Prediction"];
    assert_eq!(schema["required"], json!(["species_index", "species_name", "probabilities"]));
    assert_eq!(schema["properties"]["species_name"]["enum"], json!(["setosa", "versicolor"]));
    let number = model(
        vec![feature("a", FeatureKind::Float)],
        Target::Number { name: "price".into(), min: 0.0, max: 1.0 },
    );
    let schema = &document(&number, "x", limits())["components"]["schemas"]["Prediction"];
    assert_eq!(schema["required"], json!(["price"]));
}

#[test]
fn what_is_found_without_a_target_is_described_by_its_answers() {
    let predictor = CenterPredictor::new(vec![vec![0.0], vec![1.0]]).expect("centres");
    let schema = FeatureSchema {
        features: vec![feature("a", FeatureKind::Float)],
        target: Target::Finding(Finding::Clusters { count: 2 }),
    };
    let model = Model::new(schema, Preprocessing::identity(1), "kMeans", predictor, BTreeMap::new());
    let document = document(&model.expect("a model"), "x", limits());
    assert_eq!(document["info"]["title"], "Finds the cluster of a row");
    let schema = &document["components"]["schemas"]["Prediction"];
    assert_eq!(schema["required"], json!(["cluster", "distance"]));
    assert_eq!(schema["properties"]["cluster"]["enum"], json!([0, 1]));
}

#[test]
fn the_key_is_described_only_where_one_is_needed() {
    let open = iris_document(false);
    assert!(open["components"].get("securitySchemes").is_none());
    assert!(open["paths"]["/predict"]["post"]["responses"].get("401").is_none());
    let closed = iris_document(true);
    for requirement in closed["paths"]["/predict"]["post"]["security"].as_array().expect("a list") {
        for scheme in requirement.as_object().expect("an object").keys() {
            assert!(closed["components"]["securitySchemes"].get(scheme).is_some(), "{scheme}");
        }
    }
    assert!(closed["paths"]["/predict"]["post"]["responses"]["401"].is_object());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = iris_document(true);
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
