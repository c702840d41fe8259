//! How mixed the targets of some rows are: Gini's impurity for classes, the squared error for numbers.
//!
//! Both are kept as a score to be raised: for rows that are in two nodes, the sum of both scores is largest where the
//! weighted impurity is smallest. Must not know features.

/// A kind of target.
pub(super) trait Criterion: Sync {
    /// A row's target, with its weight.
    type Item: Copy + Send + Sync;
    /// Sums over rows.
    type Sums: Clone;

    /// The sums over no rows.
    fn empty(&self) -> Self::Sums;
    /// Adds a row to sums.
    fn add(&self, sums: &mut Self::Sums, item: Self::Item);
    /// Takes a row off sums.
    fn remove(&self, sums: &mut Self::Sums, item: Self::Item);
    /// Sums up rows of two sides anew: each row goes to the second side where its flag is set.
    fn part(&self, sides: &mut [Self::Sums; 2], items: impl Iterator<Item = (Self::Item, bool)>);
    /// The score of a node with these sums.
    fn score(&self, sums: &Self::Sums) -> f64;
    /// Whether all rows have one target.
    fn is_pure(&self, items: &[Self::Item]) -> bool;
    /// What a leaf of these rows predicts.
    fn leaf(&self, items: &[Self::Item], values: &mut Vec<f64>);
    /// How many values a leaf has.
    fn outputs(&self) -> usize;
    /// A row's target with this weight.
    fn weighted(item: Self::Item, weight: u32) -> Self::Item;
}

/// Classes, of which there are this many.
pub(super) struct Gini(pub(super) usize);

/// A row's class and weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassItem {
    pub(super) class: u32,
    pub(super) weight: u32,
}

/// Weights by class. Whole numbers, and exact: their squares stay below 2⁵³ up to 94,906,265 rows.
#[derive(Clone, Debug)]
pub(super) struct ClassSums {
    weights: Vec<f64>,
    squares: f64,
    weight: f64,
}

impl Criterion for Gini {
    type Item = ClassItem;
    type Sums = ClassSums;

    fn empty(&self) -> ClassSums {
        ClassSums { weights: vec![0.0; self.0], squares: 0.0, weight: 0.0 }
    }

    #[inline]
    fn add(&self, sums: &mut ClassSums, item: ClassItem) {
        let weight = f64::from(item.weight);
        if let Some(of_class) = sums.weights.get_mut(item.class as usize) {
            sums.squares += weight * (2.0 * *of_class + weight);
            *of_class += weight;
            sums.weight += weight;
        }
    }

    #[inline]
    fn remove(&self, sums: &mut ClassSums, item: ClassItem) {
        let weight = f64::from(item.weight);
        if let Some(of_class) = sums.weights.get_mut(item.class as usize) {
            sums.squares -= weight * (2.0 * *of_class - weight);
            *of_class -= weight;
            sums.weight -= weight;
        }
    }

    fn part(&self, sides: &mut [ClassSums; 2], items: impl Iterator<Item = (ClassItem, bool)>) {
        sides.iter_mut().for_each(|side| side.weights.fill(0.0));
        for (item, is_second) in items {
            // Looked up, and not chosen by a branch that the processor would guess wrong every other time.
            let side = sides.get_mut(usize::from(is_second));
            if let Some(of_class) = side.and_then(|side| side.weights.get_mut(item.class as usize)) {
                *of_class += f64::from(item.weight);
            }
        }
        for side in sides {
            side.weight = side.weights.iter().sum();
            side.squares = side.weights.iter().map(|weight| weight * weight).sum();
        }
    }

    #[inline]
    fn score(&self, sums: &ClassSums) -> f64 {
        sums.squares / sums.weight
    }

    fn is_pure(&self, items: &[ClassItem]) -> bool {
        items.windows(2).all(|pair| matches!(pair, [a, b] if a.class == b.class))
    }

    fn leaf(&self, items: &[ClassItem], values: &mut Vec<f64>) {
        let mut sums = self.empty();
        items.iter().for_each(|item| self.add(&mut sums, *item));
        values.extend(sums.weights.iter().map(|weight| weight / sums.weight));
    }

    fn outputs(&self) -> usize {
        self.0
    }

    fn weighted(item: ClassItem, weight: u32) -> ClassItem {
        ClassItem { weight, ..item }
    }
}

/// Numbers.
pub(super) struct SquaredError {
    /// The mean of all numbers: sums are of what is above it, so that numbers far from 0 keep their digits.
    pub(super) mean: f64,
}

/// A row's number and weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberItem {
    pub(super) number: f64,
    pub(super) weight: f64,
}

/// Weighted sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberSums {
    sum: f64,
    weight: f64,
}

impl Criterion for SquaredError {
    type Item = NumberItem;
    type Sums = NumberSums;

    fn empty(&self) -> NumberSums {
        NumberSums { sum: 0.0, weight: 0.0 }
    }

    #[inline]
    fn add(&self, sums: &mut NumberSums, item: NumberItem) {
        sums.sum += item.weight * (item.number - self.mean);
        sums.weight += item.weight;
    }

    #[inline]
    fn remove(&self, sums: &mut NumberSums, item: NumberItem) {
        sums.sum -= item.weight * (item.number - self.mean);
        sums.weight -= item.weight;
    }

    fn part(&self, sides: &mut [NumberSums; 2], items: impl Iterator<Item = (NumberItem, bool)>) {
        *sides = [self.empty(), self.empty()];
        for (item, is_second) in items {
            if let Some(side) = sides.get_mut(usize::from(is_second)) {
                self.add(side, item);
            }
        }
    }

    #[inline]
    fn score(&self, sums: &NumberSums) -> f64 {
        sums.sum * sums.sum / sums.weight
    }

    fn is_pure(&self, items: &[NumberItem]) -> bool {
        items.windows(2).all(|pair| matches!(pair, [a, b] if a.number == b.number))
    }

    fn leaf(&self, items: &[NumberItem], values: &mut Vec<f64>) {
        let first = items.first().map_or(0.0, |item| item.number);
        let weight: f64 = items.iter().map(|item| item.weight).sum();
        // Taken from the first number on, so that equal numbers have that mean exactly.
        let above: f64 = items.iter().map(|item| item.weight * (item.number - first)).sum();
        values.push(if weight > 0.0 { first + above / weight } else { first });
    }

    fn outputs(&self) -> usize {
        1
    }

    fn weighted(item: NumberItem, weight: u32) -> NumberItem {
        NumberItem { weight: f64::from(weight), ..item }
    }
}
