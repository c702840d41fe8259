//! Sums, means and spreads of numbers over a window that moves. The engine takes what leaves a window away from its sum: once it has met a NaN
//! or an infinity the sum never recovers, and what is small is lost beside what was large. Here the window is two stacks whose sums are
//! added up (the queue of two stacks, as in sliding-window aggregation), so that nothing is ever subtracted.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

/// What is said of the numbers of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Statistic {
    Sum,
    Mean,
    /// The variance, by one less than there are rows where it is of a sample.
    Variance {
        sample: bool,
    },
    /// Its root.
    Deviation {
        sample: bool,
    },
}

/// A function of the engine that is computed by [`MovingNumbers`] where a window moves.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Moving {
    function: Arc<AggregateUDF>,
    statistic: Statistic,
}

impl Moving {
    pub(super) fn new(function: Arc<AggregateUDF>, statistic: Statistic) -> Self {
        Self { function, statistic }
    }
}

/// The functions that are computed so, by their names in the engine. `sum` has its own.
pub(super) const STATISTICS: [(&str, Statistic); 5] = [
    ("avg", Statistic::Mean),
    ("var_samp", Statistic::Variance { sample: true }),
    ("var_pop", Statistic::Variance { sample: false }),
    ("stddev", Statistic::Deviation { sample: true }),
    ("stddev_pop", Statistic::Deviation { sample: false }),
];

impl AggregateUDFImpl for Moving {
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
        self.function.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.function.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.function.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.function.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match moving(&args, self.statistic) {
            Some(numbers) => Ok(numbers),
            None => self.function.create_sliding_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.function.order_sensitivity()
    }
}

/// What computes a statistic of a window of numbers; `None` where it is of something else.
pub(super) fn moving(args: &AccumulatorArgs<'_>, statistic: Statistic) -> Option<Box<dyn Accumulator>> {
    let is_of_numbers = args.return_field.data_type() == &DataType::Float64
        && !args.is_distinct
        && args.expr_fields.first().is_some_and(|field| field.data_type().is_numeric());
    is_of_numbers.then(|| -> Box<dyn Accumulator> { Box::new(MovingNumbers::new(statistic)) })
}

/// How many numbers there are, their sum, their mean, and the sum of their squared distances from it.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: u64,
    sum: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(number: f64) -> Self {
        // A number that is not finite has no distance from itself.
        Self { count: 1, sum: number, mean: number, squares: if number.is_finite() { 0.0 } else { f64::NAN } }
    }

    /// Those of both: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    fn and(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let count = self.count + other.count;
        let (own, more, all) = (self.count as f64, other.count as f64, count as f64);
        let distance = other.mean - self.mean;
        Self {
            count,
            sum: self.sum + other.sum,
            mean: self.mean + distance * (more / all),
            squares: self.squares + other.squares + distance * distance * (own * more / all),
        }
    }
}

#[derive(Debug)]
struct MovingNumbers {
    statistic: Statistic,
    /// What leaves next is last; each with the moments of all that leave after it and are here.
    front: Vec<Moments>,
    /// What came since, in its order.
    back: Vec<Moments>,
    back_sum: Moments,
}

impl MovingNumbers {
    fn new(statistic: Statistic) -> Self {
        Self { statistic, front: Vec::new(), back: Vec::new(), back_sum: Moments::default() }
    }

    fn all(&self) -> Moments {
        self.front.last().copied().unwrap_or_default().and(self.back_sum)
    }

    fn leave(&mut self) {
        if self.front.is_empty() {
            let mut sum = Moments::default();
            for number in self.back.drain(..).rev() {
                sum = number.and(sum);
                self.front.push(sum);
            }
            self.back_sum = Moments::default();
        }
        self.front.pop();
    }
}

impl Accumulator for MovingNumbers {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        let numbers = cast(values, &DataType::Float64)?;
        for number in numbers.as_primitive::<Float64Type>() {
            let moments = number.map_or_else(Moments::default, Moments::of);
            self.back.push(moments);
            self.back_sum = self.back_sum.and(moments);
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        (0..rows).for_each(|_| self.leave());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Moments { count, sum, squares, .. } = self.all();
        let variance = |sample: bool| {
            let by = count.checked_sub(u64::from(sample)).filter(|by| *by > 0);
            by.map(|by| squares / by as f64)
        };
        let answer = match self.statistic {
            Statistic::Sum => (count > 0).then_some(sum),
            Statistic::Mean => (count > 0).then(|| sum / count as f64),
            Statistic::Variance { sample } => variance(sample),
            Statistic::Deviation { sample } => variance(sample).map(f64::sqrt),
        };
        Ok(ScalarValue::Float64(answer))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + (self.front.capacity() + self.back.capacity()) * size_of::<Moments>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Err(DataFusionError::Internal("a moving window is of one partition".to_owned()))
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        Err(DataFusionError::Internal("a moving window is of one partition".to_owned()))
    }
}
