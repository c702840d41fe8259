//! `avg`: of whole numbers and decimals their exact sum, divided; of doubles one of `totals`. Durations are the engine's.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Coercion, GroupsAccumulator, ReversedUDAF, Signature,
    TypeSignature, TypeSignatureClass,
};

use super::decimal_mean;
use super::group_means::GroupMeans;
use super::group_totals::GroupTotals;
use super::plain_nan::{plain_nan, plain_nans};
use super::totals::{self, Answer};

/// The engine's `avg`, which takes whole numbers as they are.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Mean {
    mean: Arc<AggregateUDF>,
    signature: Signature,
}

impl Mean {
    pub(super) fn new(mean: Arc<AggregateUDF>) -> Self {
        let whole = TypeSignature::Coercible(vec![Coercion::new_exact(TypeSignatureClass::Integer)]);
        let mut own = match mean.signature().type_signature.clone() {
            TypeSignature::OneOf(several) => several,
            one => vec![one],
        };
        own.push(whole);
        let signature = Signature { type_signature: TypeSignature::OneOf(own), ..mean.signature().clone() };
        Self { mean, signature }
    }
}

/// Of what a mean is.
enum Of {
    Doubles,
    /// Whole numbers and decimals, with so many digits behind the point.
    Units(i8),
    Others,
}

fn of_type(found: Option<&DataType>) -> Of {
    match found {
        Some(DataType::Float64) => Of::Doubles,
        Some(found) => decimal_mean::scale(found).map_or(Of::Others, Of::Units),
        None => Of::Others,
    }
}

fn of_field(fields: &[FieldRef]) -> Of {
    of_type(fields.first().map(|field| field.data_type()))
}

impl AggregateUDFImpl for Mean {
    fn name(&self) -> &str {
        self.mean.name()
    }

    fn aliases(&self) -> &[String] {
        self.mean.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match of_type(types.first()) {
            Of::Units(_) | Of::Doubles => Ok(DataType::Float64),
            Of::Others => self.mean.return_type(types),
        }
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        match of_field(fields) {
            Of::Units(_) | Of::Doubles => Ok(Field::new(self.name(), DataType::Float64, true).into()),
            Of::Others => self.mean.return_field(fields),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match of_field(args.expr_fields) {
            Of::Units(scale) => Ok(decimal_mean::of_all(scale, args.is_distinct)),
            Of::Doubles => Ok(plain_nan(true, totals::of_all(Answer::Mean, args.is_distinct))),
            Of::Others => self.mean.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        match of_field(args.input_fields) {
            Of::Units(scale) => Ok(decimal_mean::state_fields(args.name, scale, args.is_distinct)),
            Of::Doubles => Ok(totals::state_fields(args.name, args.is_distinct)),
            Of::Others => self.mean.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match of_field(args.expr_fields) {
            Of::Units(_) | Of::Doubles => !args.is_distinct,
            Of::Others => self.mean.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match of_field(args.expr_fields) {
            Of::Units(scale) => Ok(Box::new(GroupMeans::new(scale))),
            Of::Doubles => Ok(plain_nans(true, Box::new(GroupTotals::new(Answer::Mean)))),
            Of::Others => self.mean.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match of_field(args.expr_fields) {
            Of::Doubles if !args.is_distinct => Ok(plain_nan(true, totals::moving(Answer::Mean))),
            // That of different values knows no window that moves, and is refused.
            Of::Units(_) | Of::Doubles => self.accumulator(args),
            Of::Others => self.mean.create_sliding_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
