//! Support vector machines, as libsvm defines them (Chang and Lin, LIBSVM: a library for support vector machines, 2011).

use super::super::kind::Kind;
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::answer::{Labels, PostTransform, largest};
use super::linear::{floats, rows_of};

/// How alike a row and a support vector are.
struct Kernel {
    name: String,
    gamma: f64,
    shift: f64,
    degree: f64,
}

impl Kernel {
    fn of(node: &Node<'_>) -> Result<Self, Problem> {
        let name = node.string("kernel_type", "LINEAR")?;
        node.refuse(
            !["LINEAR", "POLY", "RBF", "SIGMOID"].contains(&name.as_str()),
            &format!("the kernel {name}"),
        )?;
        let parameter = |place: usize| node.floats("kernel_params").get(place).map(|value| f64::from(*value));
        let (gamma, shift) = (parameter(0).unwrap_or(0.0), parameter(1).unwrap_or(0.0));
        Ok(Self { name, gamma, shift, degree: parameter(2).unwrap_or(0.0) })
    }

    fn of_rows(&self, a: &[f64], b: &[f64]) -> f64 {
        let pairs = || a.iter().zip(b);
        match self.name.as_str() {
            "RBF" => (-self.gamma * pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>()).exp(),
            name => {
                let product: f64 = pairs().map(|(a, b)| a * b).sum();
                match name {
                    "POLY" => (self.gamma * product + self.shift).powf(self.degree),
                    "SIGMOID" => (self.gamma * product + self.shift).tanh(),
                    _ => product,
                }
            }
        }
    }
}

/// The vectors that rows are compared with.
struct Vectors {
    kernel: Kernel,
    count: usize,
    width: usize,
    numbers: Vec<f64>,
}

impl Vectors {
    fn of(node: &Node<'_>, count: usize) -> Result<Self, Problem> {
        let numbers: Vec<f64> =
            node.floats("support_vectors").iter().map(|value| f64::from(*value)).collect();
        if count == 0 || !numbers.len().is_multiple_of(count) || numbers.is_empty() {
            let found = numbers.len();
            return Err(Problem::graph(format!("it has {found} numbers for {count} support vectors")));
        }
        let width = numbers.len() / count;
        Ok(Self { kernel: Kernel::of(node)?, count, width, numbers })
    }

    /// How alike each row and each vector are: rows × vectors.
    fn kernels(&self, input: &Tensor, work: &mut Work) -> Result<(usize, Vec<f64>), Problem> {
        let (rows, width) = rows_of(input);
        if width != self.width {
            let expected = self.width;
            return Err(Problem::graph(format!(
                "it gets rows of {width} columns, and its vectors have {expected}"
            )));
        }
        let count = work.reserve(&[rows, self.count], Kind::F64)?;
        work.step((count as u64).saturating_mul(width as u64))?;
        let numbers = input.numbers()?;
        let vectors = || self.numbers.chunks_exact(self.width);
        let of_row = |row| vectors().map(move |vector| self.kernel.of_rows(row, vector));
        Ok((rows, numbers.chunks_exact(width.max(1)).flat_map(of_row).collect()))
    }
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// The operator that predicts a number.
pub(super) fn regressor(node: &Node<'_>) -> Result<Run, Problem> {
    let (coefficients, rho) = (doubles(node.floats("coefficients")), doubles(node.floats("rho")));
    let (post, one_class) = (PostTransform::of(node)?, node.flag("one_class", false));
    let count = usize::try_from(node.int("n_supports", 0)).unwrap_or_default();
    let shift = rho.first().copied().unwrap_or_default();
    let vectors = if count > 0 { Some(Vectors::of(node, count)?) } else { None };
    if vectors.is_some() && coefficients.len() != count {
        let found = coefficients.len();
        return Err(Problem::graph(format!("it has {found} coefficients for {count} support vectors")));
    }
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let (rows, kernels) = match &vectors {
            Some(vectors) => vectors.kernels(input, work)?,
            None => (rows_of(input).0, input.numbers()?),
        };
        if kernels.len() != rows.saturating_mul(coefficients.len()) {
            return Err(Problem::graph("its rows have not as many columns as it has coefficients"));
        }
        let of_row = |row: &[f64]| {
            let sum: f64 = row.iter().zip(&coefficients).map(|(a, b)| a * b).sum::<f64>() + shift;
            let mut own = [match (one_class, sum > 0.0) {
                (false, _) => sum,
                (true, true) => 1.0,
                (true, false) => -1.0,
            }];
            post.apply(&mut own);
            own[0]
        };
        let sums = kernels.chunks_exact(coefficients.len().max(1)).map(of_row).collect();
        Ok(vec![floats(vec![rows, 1], sums, work)?])
    }))
}

/// What tells classes apart, two at a time.
struct Classes {
    /// How many vectors are of each class, and where they begin.
    parts: Vec<(usize, usize)>,
    /// Classes less one × vectors.
    coefficients: Vec<f64>,
    rho: Vec<f64>,
    probability: Option<(Vec<f64>, Vec<f64>)>,
    vectors: Vectors,
}

/// The operator that predicts classes.
pub(super) fn classifier(node: &Node<'_>) -> Result<Run, Problem> {
    let (labels, post) = (Labels::of(node)?, PostTransform::of(node)?);
    let classes = Classes::of(node, labels.len())?;
    Ok(Box::new(move |inputs, work| {
        let (rows, kernels) = classes.vectors.kernels(inputs.get(0)?, work)?;
        let count = classes.parts.len();
        work.step((rows as u64).saturating_mul((count * classes.vectors.count) as u64))?;
        let (mut places, mut scores, mut width) = (Vec::with_capacity(rows), Vec::new(), 0);
        for row in kernels.chunks_exact(classes.vectors.count) {
            let (place, mut own) = classes.decide(row);
            places.push(place);
            match own.as_mut_slice() {
                [score] if post == PostTransform::None => own = vec![-*score, *score],
                [score] => {
                    let mut of_second = [*score];
                    post.apply(&mut of_second);
                    own = vec![1.0 - of_second[0], of_second[0]];
                }
                many => post.apply(many),
            }
            width = own.len();
            work.reserve(&[width], Kind::F64)?;
            scores.extend(own);
        }
        Ok(vec![labels.at(&places)?, floats(vec![rows, width], scores, work)?])
    }))
}

impl Classes {
    fn of(node: &Node<'_>, labels: usize) -> Result<Self, Problem> {
        let sizes = node.ints("vectors_per_class");
        node.refuse(sizes.is_empty(), "a machine without support vectors")?;
        let mut parts = Vec::with_capacity(sizes.len());
        let mut count = 0_usize;
        for size in sizes {
            let size = usize::try_from(*size)
                .map_err(|_| Problem::graph("a class has a negative number of vectors"))?;
            parts.push((count, size));
            count = count.saturating_add(size);
        }
        let vectors = Vectors::of(node, count)?;
        let coefficients = doubles(node.floats("coefficients"));
        let (classes, rho) = (parts.len(), doubles(node.floats("rho")));
        let pairs = classes * classes.saturating_sub(1) / 2;
        let (slopes, shifts) = (doubles(node.floats("prob_a")), doubles(node.floats("prob_b")));
        let fits = classes == labels
            && classes >= 2
            && coefficients.len() == (classes - 1).saturating_mul(count)
            && rho.len() == pairs
            && (slopes.is_empty() || (slopes.len() == pairs && shifts.len() == pairs));
        if !fits {
            return Err(Problem::graph(format!(
                "its lists do not fit {classes} classes of {count} support vectors"
            )));
        }
        let probability = (!slopes.is_empty()).then_some((slopes, shifts));
        Ok(Self { parts, coefficients, rho, probability, vectors })
    }

    /// The class of most votes, and the scores of a row: the probability of each class, or the decisions between two at a time.
    fn decide(&self, kernels: &[f64]) -> (usize, Vec<f64>) {
        let count = self.parts.len();
        let (mut votes, mut decisions) = (vec![0.0; count], Vec::with_capacity(self.rho.len()));
        let sum = |line: usize, (start, size): (usize, usize)| -> f64 {
            let coefficients = self.coefficients.get(line * self.vectors.count + start..).unwrap_or_default();
            let kernels = kernels.get(start..start + size).unwrap_or_default();
            kernels.iter().zip(coefficients).map(|(a, b)| a * b).sum()
        };
        for first in 0..count {
            for second in first + 1..count {
                let (of_first, of_second) = (self.parts[first], self.parts[second]);
                let shift = self.rho.get(decisions.len()).copied().unwrap_or_default();
                let decision = sum(second - 1, of_first) + sum(first, of_second) + shift;
                votes[if decision > 0.0 { first } else { second }] += 1.0;
                decisions.push(decision);
            }
        }
        match &self.probability {
            Some((slopes, shifts)) => (largest(&votes), probabilities(&decisions, slopes, shifts, count)),
            None => (largest(&votes), decisions),
        }
    }
}

/// The probability of each class, from those between two at a time (Wu, Lin and Weng, Probability estimates for multi-class
/// classification by pairwise coupling, 2004; its second method, as libsvm iterates).
fn probabilities(decisions: &[f64], slopes: &[f64], shifts: &[f64], count: usize) -> Vec<f64> {
    let mut pairwise = vec![vec![0.0; count]; count];
    let pairs = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second)));
    for (at, (first, second)) in pairs.enumerate() {
        let value = |list: &[f64]| list.get(at).copied().unwrap_or_default();
        let share = 1.0 - super::curves::sigmoid(value(decisions) * value(slopes) + value(shifts));
        let share = share.clamp(1e-7, 1.0 - 1e-7);
        pairwise[first][second] = share;
        pairwise[second][first] = 1.0 - share;
    }
    let mut matrix = vec![vec![0.0; count]; count];
    for row in 0..count {
        for column in 0..count {
            if row != column {
                matrix[row][row] += pairwise[column][row] * pairwise[column][row];
                matrix[row][column] = -pairwise[column][row] * pairwise[row][column];
            }
        }
    }
    let mut shares = vec![1.0 / count as f64; count];
    for _ in 0..count.max(100) {
        let mut products: Vec<f64> =
            matrix.iter().map(|row| row.iter().zip(&shares).map(|(a, b)| a * b).sum()).collect();
        let mut total: f64 = products.iter().zip(&shares).map(|(a, b)| a * b).sum();
        let worst = products.iter().map(|product| (product - total).abs()).fold(0.0, f64::max);
        if worst < 0.005 / count as f64 {
            break;
        }
        for row in 0..count {
            let own = matrix[row][row];
            let change = (total - products[row]) / own;
            shares[row] += change;
            total = (total + change * (change * own + 2.0 * products[row])) / (1.0 + change) / (1.0 + change);
            for column in 0..count {
                products[column] = (products[column] + change * matrix[row][column]) / (1.0 + change);
                shares[column] /= 1.0 + change;
            }
        }
    }
    shares
}
