//! How much nearer a row is to its own cluster than to the next one.
//!
//! P. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis" (1987), by Euclid's
//! distance, as scikit-learn has it. Every row is compared with every other, so of many rows evenly spread ones stand for all.

use super::matrix::Rows;
use super::parallel::over_items;
use crate::model::squared_distance;

/// The most rows that are compared.
const MOST_ROWS: usize = 4096;

/// The most values that are looked at in all: fewer rows of many features are compared.
const MOST_VALUES: usize = 1 << 31;

/// Which of these rows are compared, by their place.
pub(super) fn compared(rows: usize, width: usize) -> Vec<usize> {
    let most = MOST_ROWS.min((MOST_VALUES / width.max(1)).isqrt().max(1));
    (0..rows).step_by(rows.div_ceil(most).max(1)).collect()
}

/// The silhouette of each row, whose clusters are these, by place. None where fewer than two clusters have a row, or each row has a
/// cluster of its own: then there is nothing to compare.
pub(super) fn silhouettes(rows: &Rows<'_>, clusters: &[usize], count: usize) -> Option<Vec<f64>> {
    let mut sizes = vec![0_usize; count];
    for cluster in clusters {
        *sizes.get_mut(*cluster)? += 1;
    }
    let used = sizes.iter().filter(|size| **size > 0).count();
    if used < 2 || used >= rows.len() {
        return None;
    }
    // Side by side, where they stay in the processor's cache.
    let values: Vec<f64> = rows.iter().flat_map(|(_, row)| row.to_vec()).collect();
    let all = || values.chunks_exact(rows.width().max(1)).zip(clusters);
    Some(over_items(all().collect(), |(row, own)| {
        let mut sums = vec![0.0; count];
        for (other, cluster) in all() {
            if let Some(sum) = sums.get_mut(*cluster) {
                *sum += squared_distance(row, other).sqrt();
            }
        }
        silhouette(&sums, &sizes, *own)
    }))
}

/// From the sums of the distances to each cluster's rows.
fn silhouette(sums: &[f64], sizes: &[usize], own: usize) -> f64 {
    let mean = |cluster: usize, rows: usize| sums.get(cluster).copied().unwrap_or_default() / rows as f64;
    let rows = sizes.get(own).copied().unwrap_or_default();
    if rows <= 1 {
        return 0.0;
    }
    let within = mean(own, rows - 1);
    let others = sizes.iter().enumerate().filter(|(cluster, rows)| *cluster != own && **rows > 0);
    let next = others.map(|(cluster, rows)| mean(cluster, *rows)).fold(f64::INFINITY, f64::min);
    let larger = within.max(next);
    if larger > 0.0 { (next - within) / larger } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;

    fn of(values: &[f64], clusters: &[usize]) -> Option<Vec<f64>> {
        let mut matrix = Matrix::new(1);
        values.iter().for_each(|value| matrix.extend(&[*value]));
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        silhouettes(&Rows::new(&matrix, &rows), clusters, 3)
    }

    #[test]
    fn silhouettes_are_those_of_the_definition() {
        // silhouette_samples([[0], [1], [5], [6], [20]], [0, 0, 1, 1, 2])
        let found = of(&[0.0, 1.0, 5.0, 6.0, 20.0], &[0, 0, 1, 1, 2]).expect("two clusters");
        let expected = [1.0 - 1.0 / 5.5, 1.0 - 1.0 / 4.5, 1.0 - 1.0 / 4.5, 1.0 - 1.0 / 5.5, 0.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
        assert_eq!(of(&[1.0; 4], &[0, 0, 1, 1]), Some(vec![0.0; 4]));
    }

    #[test]
    fn without_two_clusters_there_is_none() {
        assert_eq!(of(&[0.0, 1.0], &[0, 0]), None);
        assert_eq!(of(&[0.0, 1.0], &[0, 1]), None);
        assert_eq!(of(&[], &[]), None);
    }

    #[test]
    fn many_rows_or_columns_do_not_make_much_work() {
        assert_eq!(compared(150, 4).len(), 150);
        assert!(compared(10_000_000, 20).len() <= MOST_ROWS);
        let wide = compared(10_000, 4096).len();
        assert!(wide > 300 && wide * wide * 4096 <= MOST_VALUES, "{wide}");
    }
}
