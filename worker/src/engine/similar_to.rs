//! `SIMILAR TO`, whose pattern is one of SQL for the whole text: the engine takes it for a regular expression that is found anywhere.
//!
//! The rules are those of SQL, with the backslash as the escape character where none is named, as in PostgreSQL:
//! <https://www.postgresql.org/docs/current/functions-matching.html#FUNCTIONS-SIMILARTO-REGEXP>.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};

/// The comparison with a regular expression that says the same.
pub(super) fn read(expr: Expr) -> Result<Transformed<Expr>> {
    let Expr::SimilarTo(Like { negated, expr, pattern, escape_char, case_insensitive }) = expr else {
        return Ok(Transformed::no(expr));
    };
    let text = match pattern.as_ref() {
        Expr::Literal(value, _) if value.is_null() => {
            let like = Like { negated, expr, pattern, escape_char, case_insensitive };
            return Ok(Transformed::no(Expr::SimilarTo(like)));
        }
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    };
    let Some(text) = text else {
        return plan_err!(
            "the pattern of SIMILAR TO is a text in quotes; for patterns that are computed there is regexp_like(x, '^(' || p || ')$'), whose p is a \
             regular expression, and LIKE"
        );
    };
    let regex = match regex(text, escape_char.unwrap_or('\\')) {
        Ok(regex) => regex,
        Err(problem) => {
            return plan_err!(
                "a regular expression in the sql is not valid: {problem}, in the pattern {text:?} of SIMILAR TO"
            );
        }
    };
    let op = if negated { Operator::RegexNotMatch } else { Operator::RegexMatch };
    let right = Box::new(lit(ScalarValue::Utf8(Some(regex))));
    Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left: expr, op, right })))
}

/// The regular expression of a pattern, or what is wrong with it.
fn regex(pattern: &str, escape: char) -> Result<String, String> {
    let mut regex = r"\A(?:".to_owned();
    let mut rest = pattern.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            _ if next == escape => plain(&mut regex, escaped(&mut rest)?),
            '%' => regex.push_str("(?s:.*)"),
            '_' => regex.push_str("(?s:.)"),
            '(' => regex.push_str("(?:"),
            ')' | '|' | '*' | '+' | '?' | '{' | '}' => regex.push(next),
            '[' => class(&mut regex, &mut rest, escape)?,
            _ => plain(&mut regex, next),
        }
    }
    regex.push_str(r")\z");
    match regex_syntax::parse(&regex) {
        Ok(_) => Ok(regex),
        Err(regex_syntax::Error::Parse(error)) => Err(error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => Err(error.kind().to_string()),
        Err(_) => Err("it cannot be read".to_owned()),
    }
}

fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    rest.next().ok_or_else(|| "nothing follows the escape character".to_owned())
}

/// One character as itself.
fn plain(regex: &mut String, character: char) {
    if regex_syntax::is_meta_character(character) {
        regex.push('\\');
    }
    regex.push(character);
}

/// A list of characters, up to its end: the first `]` is one of them.
fn class(regex: &mut String, rest: &mut Peekable<Chars<'_>>, escape: char) -> Result<(), String> {
    regex.push('[');
    if rest.next_if_eq(&'^').is_some() {
        regex.push('^');
    }
    let mut is_first = true;
    loop {
        match rest.next().ok_or("unclosed character class")? {
            ']' if !is_first => break,
            '[' if rest.next_if_eq(&':').is_some() => named(regex, rest)?,
            // A range, unless it is at an end, where this is a character too.
            '-' if !is_first && rest.peek() != Some(&']') => regex.push('-'),
            next if next == escape => member(regex, escaped(rest)?),
            next => member(regex, next),
        }
        is_first = false;
    }
    regex.push(']');
    Ok(())
}

/// One character of a list: by its number, since lists have signs of their own.
fn member(regex: &mut String, character: char) {
    if character.is_ascii_alphanumeric() {
        regex.push(character);
    } else {
        let _ = write!(regex, r"\x{{{:x}}}", u32::from(character));
    }
}

/// The kinds of characters that a list may name, as POSIX has them.
const KINDS: [&str; 12] = [
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
    "xdigit",
];

/// A kind of characters, as `[:alpha:]`, after its first two signs.
fn named(regex: &mut String, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
    let mut name = String::new();
    while let Some(letter) = rest.next_if(char::is_ascii_lowercase) {
        name.push(letter);
    }
    if rest.next() != Some(':') || rest.next() != Some(']') {
        return Err("a class as [:alpha:] is not closed".to_owned());
    }
    // What is no kind would be read as a list of its letters.
    if !KINDS.contains(&name.as_str()) {
        return Err(format!("there is no class [:{name}:]"));
    }
    let _ = write!(regex, "[:{name}:]");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::regex;

    #[track_caller]
    fn matches(pattern: &str, text: &str) -> bool {
        let regex = regex(pattern, '\\').unwrap_or_else(|problem| panic!("{pattern}: {problem}"));
        regex::Regex::new(&regex).is_ok_and(|regex| regex.is_match(text))
    }

    #[test]
    fn a_pattern_is_of_the_whole_text() {
        for (pattern, text) in [
            ("abc", "abc"),
            ("a%", "a\nb"),
            ("a_c", "a\nc"),
            ("%@x.org", "eve@x.org"),
            ("a|b", "b"),
            ("(a|b)c*", "bcc"),
            ("a{2,3}", "aaa"),
            ("a?b+", "bb"),
            ("[a-c-]*", "ab-c"),
            ("[^0-9]", "x"),
            ("[]x]", "]"),
            ("[[:digit:]x]+", "1x2"),
            ("[a&&b~~]+", "a&b~"),
            (r"100\%", "100%"),
            (r"[\]\^]+", "]^"),
            ("^$.", "^$."),
            ("", ""),
        ] {
            assert!(matches(pattern, text), "{pattern:?} {text:?}");
        }
        for (pattern, text) in [
            ("a", "abc"),
            ("%@x.org", "eve@xyorg"),
            ("a|b", "ab"),
            ("a_c", "ac"),
            (r"100\%", "1000"),
            ("[a-c]", "d"),
            (".", "x"),
            ("[&&b]", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn another_escape_character_takes_the_place_of_the_backslash() {
        assert_eq!(regex(r"a!%\", '!').as_deref(), Ok(r"\A(?:a%\\)\z"));
        for pattern in ["!", "(", "[a", "a{2,1}", "*", "[[:x:]]", "[[:alpha]"] {
            assert!(regex(pattern, '!').is_err(), "{pattern}");
        }
    }
}
