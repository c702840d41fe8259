//! What the report says where columns of very different size meet an algorithm that sees sizes.
//!
//! Owns which algorithms these are, and the sentence. Numbers and dates are looked at; other columns have sizes that are alike.

use mlpipeline_crds::{Algorithm, ChosenAlgorithm, Scale};

use super::columns::Treatment;
use super::matrix::Rows;
use super::notes::{SAMPLED, short};
use super::samples::Samples;
use crate::model::FeatureKind;

/// From how many times the deviation of another column on, a column counts as one of very different size.
const VERY_DIFFERENT: f64 = 100.0;

/// Dates are learnt from as days.
const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

/// What sizes do to an algorithm.
#[derive(Clone, Copy)]
enum Sees {
    Distances,
    Penalties,
    Variances,
}

/// What to do about columns of very different size, over these raw rows; none where they are alike, or the algorithm does not see sizes.
pub(super) fn note(algorithm: &Algorithm, samples: &Samples, rows: &Rows<'_>) -> Option<String> {
    let chosen = algorithm.chosen()?;
    let sees = seen_by(chosen)?;
    let sizes = sizes(samples, rows);
    let (most, large) = sizes.iter().copied().max_by(|ours, theirs| ours.0.total_cmp(&theirs.0))?;
    let (least, small) = sizes.iter().copied().min_by(|ours, theirs| ours.0.total_cmp(&theirs.0))?;
    let (times, large, small) = (most / least, short(large), short(small));
    if times < VERY_DIFFERENT {
        return None;
    }
    let times = if times < 1e6 { format!("{times:.0}") } else { format!("{times:.0e}") };
    let name = chosen.name();
    let so = match sees {
        Sees::Distances => format!("{name} compares distances, which {large} decides nearly alone"),
        Sees::Penalties => format!("the penalty of {name} falls on the weight of {small} far more"),
        Sees::Variances => format!("{name} looks for what varies most, which is {large} alone"),
    };
    Some(format!("{large} varies about {times} times as much as {small}, and {so}; set scale: standard"))
}

/// What an algorithm sees of sizes; nothing where it scales columns itself, or only compares numbers of one column.
fn seen_by(chosen: ChosenAlgorithm<'_>) -> Option<Sees> {
    match chosen {
        ChosenAlgorithm::KNeighbors(_) | ChosenAlgorithm::KMeans(_) | ChosenAlgorithm::Dbscan(_) => {
            Some(Sees::Distances)
        }
        ChosenAlgorithm::Ridge(_)
        | ChosenAlgorithm::Lasso(_)
        | ChosenAlgorithm::ElasticNet(_)
        | ChosenAlgorithm::LinearSvm(_) => Some(Sees::Penalties),
        ChosenAlgorithm::Pca(_) | ChosenAlgorithm::TruncatedSvd(_) => Some(Sees::Variances),
        // The penalties of the first three come with their defaults, and are seldom felt beside the sum over all rows; a mixture only begins
        // with clusters of k-means.
        ChosenAlgorithm::LogisticRegression(_)
        | ChosenAlgorithm::LinearRegression(_)
        | ChosenAlgorithm::PoissonRegression(_)
        | ChosenAlgorithm::GaussianNaiveBayes(_)
        | ChosenAlgorithm::MultinomialNaiveBayes(_)
        | ChosenAlgorithm::BernoulliNaiveBayes(_)
        | ChosenAlgorithm::DecisionTree(_)
        | ChosenAlgorithm::RandomForest(_)
        | ChosenAlgorithm::ExtraTrees(_)
        | ChosenAlgorithm::GradientBoosting(_)
        | ChosenAlgorithm::SeasonalNaive(_)
        | ChosenAlgorithm::GaussianMixture(_)
        | ChosenAlgorithm::IsolationForest(_) => None,
    }
}

/// The standard deviation of each column that varies, as it is learnt from, with its name.
fn sizes<'a>(samples: &'a Samples, rows: &Rows<'_>) -> Vec<(f64, &'a str)> {
    let step = rows.len().div_ceil(SAMPLED).max(1);
    let sample: Vec<u32> = rows.numbers().iter().copied().step_by(step).collect();
    let mut moments = vec![Moments::default(); samples.columns.len()];
    for (_, row) in rows.select(&sample).iter() {
        moments.iter_mut().zip(row.iter()).for_each(|(moments, value)| moments.add(*value));
    }
    let columns = samples.columns.iter().zip(moments);
    let sized = columns.filter_map(|(column, moments)| {
        let deviation = moments.deviation().filter(|deviation| *deviation > 0.0)?;
        let unit = match column.treatment {
            Treatment::Number(FeatureKind::Float | FeatureKind::Integer) => 1.0,
            Treatment::Time(_) => MILLISECONDS_OF_A_DAY,
            Treatment::Number(FeatureKind::Boolean)
            | Treatment::Category(_)
            | Treatment::Ordinal
            | Treatment::Text(_)
            | Treatment::Target
            | Treatment::Hash(_) => return None,
        };
        let size = if column.scale == Scale::None { deviation / unit } else { 1.0 };
        Some((size, column.name.as_str()))
    });
    sized.collect()
}

/// The mean of numbers, and the sum of the squares of how far they are from it.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn deviation(self) -> Option<f64> {
        let deviation = (self.squares / self.count).sqrt();
        deviation.is_finite().then_some(deviation)
    }
}
