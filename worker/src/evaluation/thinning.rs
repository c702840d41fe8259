//! Curves of few points that look like those of many.

/// The most points of a curve.
pub(super) const MOST_POINTS: usize = 200;

/// All points of a short curve, else at most [`MOST_POINTS`], the first and the last among them: each is as far along the curve, by what
/// `travelled` adds up to, as the one before allows.
pub(super) fn thinned(
    points: impl Iterator<Item = (f64, f64)>,
    travelled: impl Fn((f64, f64)) -> f64,
    length: f64,
) -> Vec<(f64, f64)> {
    let points: Vec<(f64, f64)> = points.collect();
    if points.len() <= MOST_POINTS {
        return points;
    }
    // Two points are kept whatever they add: the first and the last.
    let step = length / (MOST_POINTS - 2) as f64;
    let (mut kept, mut skipped, mut next) = (Vec::new(), None, f64::NEG_INFINITY);
    for point in points {
        let place = travelled(point);
        if place >= next {
            kept.push(point);
            next = place + step;
            skipped = None;
        } else {
            skipped = Some(point);
        }
    }
    kept.extend(skipped);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_ends_and_few_points_and_a_short_one_all() {
        let curve = |count: u32| {
            (0..=count).map(move |at| (f64::from(at) / f64::from(count), f64::from(at) / f64::from(count)))
        };
        let along = |(x, y): (f64, f64)| x + y;
        let long = thinned(curve(100_000), along, 2.0);
        assert!(long.len() > MOST_POINTS / 2 && long.len() <= MOST_POINTS, "{}", long.len());
        assert_eq!((long.first(), long.last()), (Some(&(0.0, 0.0)), Some(&(1.0, 1.0))));
        assert_eq!(thinned(curve(50), along, 2.0).len(), 51);
        assert!(thinned(std::iter::empty(), along, 2.0).is_empty());
    }
}
