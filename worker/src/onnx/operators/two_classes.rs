//! Two classes of trees, distinguished by one score or two.

use super::answer::PostTransform;

/// How two classes are distinguished: by the score of one of them, or of each.
#[derive(Clone, Copy)]
pub(super) struct Binary {
    /// Whether all leaves add to one class alone.
    pub one_target: bool,
    /// Whether no leaf takes away: scores are shares then.
    pub positive: bool,
}

impl Binary {
    /// The place of the class; the scores become those of both. The operator's text leaves open what base values and a single class mean:
    /// it follows ONNX Runtime, except that of two classes with a score each the larger one is answered.
    pub(super) fn finish(
        self,
        (first, second): (&mut f64, &mut f64),
        has: &[bool],
        base: &[f64],
        post: PostTransform,
    ) -> usize {
        let [has_first, mut has_second] = *has else { return 0 };
        let mut is_single = false;
        match base {
            [_, of_second] if has_second => {
                *second = of_second + *first;
                *first = -*second;
            }
            [of_first, _] => *first += of_first,
            [base] => {
                *first += base;
                is_single = !has_second;
            }
            _ => is_single = !has_second,
        }
        // A class that no leaf adds to has no score, whatever its base value.
        let mut both = [if has_first { *first } else { 0.0 }, if has_second { *second } else { 0.0 }];
        has_second |= !has_first;
        let score = if has_second { both[1] } else { both[0] };
        let place = match (self.one_target, self.positive) {
            (false, _) => usize::from(both[1] > both[0]),
            (true, true) => usize::from(score > 0.5),
            (true, false) => usize::from(score > 0.0),
        };
        if is_single {
            both = self.of_one(both[0], post);
        } else {
            post.apply(&mut both);
        }
        [*first, *second] = both;
        place
    }

    /// The scores of both classes from that of the second.
    fn of_one(self, score: f64, post: PostTransform) -> [f64; 2] {
        let mut own = [score];
        match (post, self.positive) {
            (PostTransform::Probit, _) | (PostTransform::Logistic, false) => {
                post.apply(&mut own);
                [1.0 - own[0], own[0]]
            }
            (_, true) => [1.0 - score, score],
            (_, false) => [-score, score],
        }
    }
}
