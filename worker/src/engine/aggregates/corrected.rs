//! A function of the engine that computes otherwise in some places: in everything else it is the engine's own.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use super::extremes::{self, Extreme, Extremes};
use super::moving::{Statistic, moving};
use super::moving_pairs::Pairs;
use super::percentile::Percentile;
use super::plain_nan::{plain_nan, plain_nans};
use super::two_stacks::Window;
use crate::engine::canonical::is_number;

/// What is computed otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Correction {
    /// A statistic of windows that move.
    Moving(Statistic),
    /// What is said of two columns: in windows that move, and of groups where the engine's sums cancel out.
    Pairs(Pairs),
    /// The least or greatest number.
    Extreme(Extreme),
    /// The value below which a share of the others is.
    Percentile,
}

/// A function of the engine with its correction.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Corrected {
    function: Arc<AggregateUDF>,
    correction: Correction,
}

impl Corrected {
    pub(super) fn new(function: Arc<AggregateUDF>, correction: Correction) -> Self {
        Self { function, correction }
    }

    /// Which end is asked for, of values of this type that may be NaN.
    fn extreme(&self, found: &DataType) -> Option<Extreme> {
        match self.correction {
            Correction::Extreme(extreme) if is_number(found) => Some(extreme),
            _ => None,
        }
    }

    fn percentile(&self, args: &AccumulatorArgs<'_>) -> Option<Percentile> {
        if self.correction == Correction::Percentile { Percentile::of(args) } else { None }
    }
}

impl AggregateUDFImpl for Corrected {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.function.return_field(fields)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn is_nullable(&self) -> bool {
        self.function.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let found = args.return_field.data_type();
        if let Some(extreme) = self.extreme(found) {
            return Ok(Box::new(extremes::OfAll::new(extreme, found.clone())));
        }
        match self.percentile(&args) {
            Some(percentile) => Ok(plain_nan(true, Box::new(percentile))),
            None => {
                let is_number = is_number(found);
                Ok(plain_nan(is_number, self.function.accumulator(args)?))
            }
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.function.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match self.correction {
            Correction::Pairs(Pairs::Correlation) => false,
            Correction::Percentile if self.percentile(&args).is_some() => false,
            Correction::Moving(_)
            | Correction::Pairs(_)
            | Correction::Extreme(_)
            | Correction::Percentile => self.function.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let found = args.return_field.data_type();
        if let Some(extreme) = self.extreme(found) {
            return Ok(Box::new(Extremes::new(extreme, found.clone())));
        }
        let is_number = is_number(found);
        let groups = self.function.create_groups_accumulator(args)?;
        Ok(plain_nans(is_number, groups))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let found = args.return_field.data_type();
        let is_number = is_number(found);
        if let Some(extreme) = self.extreme(found) {
            return Ok(extremes::moving(extreme, found.clone()));
        }
        let moving = match self.correction {
            Correction::Moving(statistic) => moving(&args, statistic),
            Correction::Pairs(pairs) if !args.is_distinct => {
                Some(Box::new(Window::new(pairs)) as Box<dyn Accumulator>)
            }
            Correction::Percentile => {
                self.percentile(&args).map(|percentile| Box::new(percentile) as Box<dyn Accumulator>)
            }
            Correction::Pairs(_) | Correction::Extreme(_) => None,
        };
        let moving = moving.map_or_else(|| self.function.create_sliding_accumulator(args), Ok)?;
        Ok(plain_nan(is_number, moving))
    }

    fn supports_within_group_clause(&self) -> bool {
        self.function.supports_within_group_clause()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.correction {
            // Of descending values it is another one.
            Correction::Percentile => ReversedUDAF::NotSupported,
            Correction::Moving(_) | Correction::Pairs(_) | Correction::Extreme(_) => ReversedUDAF::Identical,
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match self.correction {
            // It looks at all values, whichever comes first.
            Correction::Percentile => AggregateOrderSensitivity::Insensitive,
            Correction::Moving(_) | Correction::Pairs(_) | Correction::Extreme(_) => {
                self.function.order_sensitivity()
            }
        }
    }
}
