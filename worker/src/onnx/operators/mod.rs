//! The operators that are computed: the table of their names, and for each a file of those that are alike.
//!
//! An operator is compiled once, with its attributes checked, into a function of tensors. What is not in the table is refused by name.

mod answer;
mod broadcast;
mod cast;
mod curves;
mod einsum;
mod elementwise;
mod encoders;
mod ensemble;
mod functions;
mod gather;
mod linear;
mod made;
mod matrix;
mod ngrams;
mod normalize;
mod order;
mod parts;
mod reduce;
mod scaling;
mod shape;
mod texts;
mod token_pattern;
mod tree_nodes;
mod trees;
mod two_classes;
mod vectors;

use super::node::{Node, Run};
use super::problem::Problem;

pub(super) use cast::kind_of;

/// The domain of the operators of classical models.
pub(super) const ML_DOMAIN: &str = "ai.onnx.ml";

/// The domain of ONNX Runtime's own operators, of which converters write a few.
const CONVERTERS_DOMAIN: &str = "com.microsoft";

/// What a node computes; `None` where no operator of its name is computed.
pub(super) fn compile(domain: &str, node: &Node<'_>) -> Result<Option<Run>, Problem> {
    match domain {
        "" => plain(node),
        ML_DOMAIN => classical(node),
        // What scikit-learn's converter writes beside the standard's operators.
        CONVERTERS_DOMAIN => Ok(Some(match node.operator {
            "CDist" => matrix::distances(node)?,
            "Tokenizer" => texts::tokenizer(node)?,
            _ => return Ok(None),
        })),
        _ => Ok(None),
    }
}

fn plain(node: &Node<'_>) -> Result<Option<Run>, Problem> {
    let by_name = || {
        elementwise::number_function(node)
            .or_else(|| elementwise::arithmetic(node))
            .or_else(|| elementwise::comparison(node))
            .or_else(|| elementwise::logic(node))
            .or_else(|| elementwise::float_class(node))
            .or_else(|| shape::reshaping(node))
            .or_else(|| shape::moving(node))
            .or_else(|| parts::parting(node))
            .or_else(|| reduce::reducing(node))
            .or_else(|| matrix::multiplying(node))
            .or_else(|| normalize::softmax(node))
            .or_else(|| order::ordering(node))
    };
    Ok(Some(match node.operator {
        "Cast" => cast::operator(node)?,
        "CastLike" => cast::alike(),
        "Where" => elementwise::choice(),
        "Clip" => elementwise::clip(node),
        "BatchNormalization" => normalize::batch_normalization(node)?,
        "LayerNormalization" => normalize::layer_normalization(node)?,
        "StringNormalizer" => texts::string_normalizer(node)?,
        "LpNormalization" => normalize::lp_normalization(node)?,
        "Einsum" => einsum::einsum(node)?,
        "TfIdfVectorizer" => ngrams::vectorizer(node)?,
        _ => {
            let found = match by_name() {
                Some(found) => Some(found),
                None => functions::float_function(node)?,
            };
            let found = match found {
                Some(found) => Some(found),
                None => made::made(node)?,
            };
            return match found {
                Some(found) => Ok(Some(found)),
                None => gather::gathering(node),
            };
        }
    }))
}

fn classical(node: &Node<'_>) -> Result<Option<Run>, Problem> {
    Ok(Some(match node.operator {
        "LinearRegressor" => linear::regressor(node)?,
        "LinearClassifier" => linear::classifier(node)?,
        "TreeEnsembleRegressor" => trees::regressor(node)?,
        "TreeEnsembleClassifier" => trees::classifier(node)?,
        "TreeEnsemble" => trees::ensemble(node)?,
        "SVMRegressor" => vectors::regressor(node)?,
        "SVMClassifier" => vectors::classifier(node)?,
        "Scaler" => scaling::scaler(node)?,
        "Imputer" => scaling::imputer(node)?,
        "Normalizer" => normalize::normalizer(node)?,
        "Binarizer" => scaling::binarizer(node),
        "FeatureVectorizer" => scaling::feature_vectorizer(),
        "OneHotEncoder" => encoders::one_hot_encoder(node)?,
        "LabelEncoder" => encoders::label_encoder(node)?,
        _ => return gather::gathering(node),
    }))
}
