//! `LIKE` with an escape character of its own, as `s LIKE '100!%' ESCAPE '!'`: the engine has the backslash alone.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Expr, lit};

/// The comparison with a pattern whose escape character is the backslash.
pub(super) fn read(like: Like) -> Result<Transformed<Expr>> {
    let Some(escape) = like.escape_char.filter(|escape| *escape != '\\') else {
        return Ok(Transformed::no(Expr::Like(like)));
    };
    let pattern = match like.pattern.as_ref() {
        Expr::Literal(pattern, _) => pattern.try_as_str(),
        _ => None,
    };
    let pattern = match pattern {
        Some(Some(pattern)) => lit(ScalarValue::Utf8(Some(with_backslashes(pattern, escape)))),
        Some(None) => *like.pattern,
        None => {
            return plan_err!(
                "the pattern of LIKE with ESCAPE is a text in quotes; in one that is computed, the backslash takes the next sign as it is"
            );
        }
    };
    Ok(Transformed::yes(Expr::Like(Like { pattern: pattern.into(), escape_char: None, ..like })))
}

fn with_backslashes(pattern: &str, escape: char) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        let (sign, is_plain) = if sign == escape {
            // At the end there is nothing to take as it is but itself.
            (signs.next().unwrap_or(escape), true)
        } else {
            (sign, sign == '\\')
        };
        if is_plain && matches!(sign, '%' | '_' | '\\') {
            written.push('\\');
        }
        written.push(sign);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::with_backslashes;

    #[test]
    fn signs_behind_the_escape_character_are_plain() {
        for (pattern, written) in [
            ("100!%", r"100\%"),
            ("!_!!%", r"\_!%"),
            (r"a\b", r"a\\b"),
            (r"!\%", r"\\%"),
            ("a!", "a!"),
            ("!a", "a"),
        ] {
            assert_eq!(with_backslashes(pattern, '!'), written, "{pattern}");
        }
    }
}
