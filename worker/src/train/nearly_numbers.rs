//! Columns whose texts are numbers but for a few, such as `NA`: what a person takes for a column of numbers, and is read as texts.
//!
//! Owns what counts as a few.

/// Columns with more other texts than this are of texts.
const MOST_OTHERS: usize = 3;

/// So many numbers there are for each other text at least.
const NUMBERS_FOR_EACH: usize = 5;

/// The texts that are no numbers, where nearly all others are.
pub(super) fn others<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let (mut numbers, mut others) = (0, Vec::new());
    for text in texts {
        if text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
            numbers += 1;
        } else if others.len() == MOST_OTHERS {
            return None;
        } else {
            others.push(text.to_owned());
        }
    }
    (!others.is_empty() && numbers >= NUMBERS_FOR_EACH * others.len()).then_some(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_numbers_but_for_a_few_texts_is_distinguished_from_texts_and_from_numbers() {
        let numbers = ["1", "2.5", "-3", "1e3", "007", "6"];
        let with = |more: &[&str]| others(numbers.iter().copied().chain(more.iter().copied()));
        assert_eq!(with(&["NA"]), Some(vec!["NA".to_owned()]));
        assert_eq!(with(&["nan"]), Some(vec!["nan".to_owned()]));
        assert_eq!(with(&[]), None);
        assert_eq!(with(&["NA", "?"]), None, "too many for so few numbers");
        assert_eq!(others(["red", "green"].into_iter()), None);
    }
}
