//! Regular expressions of users: that they parse and name columns. Must not compile them: a few bytes such as `\w{1000}` would take a
//! hundredth of a second or more each, and a pipeline may have a thousand. A pattern that parses and is too large to compile fails
//! in the worker, which says so.

use std::convert::Infallible;

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{Ast, GroupKind, Visitor, visit};

use super::errors::Errors;
use crate::quoted::quoted;

/// Checks that a pattern parses and has a named group.
pub(super) fn check(pattern: &str, path: String, errors: &mut Errors) {
    match Parser::new().parse(pattern) {
        Err(error) => {
            let problem = format!("{} is not a valid regular expression: {}", quoted(pattern), error.kind());
            errors.add(path, problem);
        }
        Ok(ast) if !names_a_group(&ast) => errors.add_with_hint(
            path,
            format!("{} has no named group, and these become the columns", quoted(pattern)),
            "write one as (?<name>…)",
        ),
        Ok(_) => {}
    }
}

/// Whether some group has a name.
fn names_a_group(ast: &Ast) -> bool {
    let Ok(found) = visit(ast, NamedGroup(false));
    found
}

/// Looks for a group with a name.
struct NamedGroup(bool);

impl Visitor for NamedGroup {
    type Output = bool;
    type Err = Infallible;

    fn finish(self) -> Result<bool, Infallible> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Infallible> {
        if let Ast::Group(group) = ast {
            self.0 |= matches!(group.kind, GroupKind::CaptureName { .. });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(pattern: &str) -> Vec<String> {
        let mut errors = Errors::default();
        check(pattern, "pattern".to_owned(), &mut errors);
        errors.into_result().err().unwrap_or_default().into_iter().map(|error| error.problem).collect()
    }

    #[test]
    fn a_pattern_that_would_take_long_to_compile_is_only_parsed() {
        for pattern in [r"(?<a>\w{1000})", r"(?i)(?<a>[\w\s]{999}{999})", r"(?<a>((((.{9}){9}){9}){9}){999})"]
        {
            assert_eq!(problems(pattern), Vec::<String>::new(), "{pattern}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        for (pattern, part) in [
            ("(", "unclosed group"),
            ("a{2", "unclosed counted repetition"),
            ("(?<a>x)(?<a>y)", "duplicate capture group name"),
            ("(a)", "no named group"),
            ("(?:(?:a))", "no named group"),
        ] {
            let found = problems(pattern);
            assert!(matches!(found.as_slice(), [one] if one.contains(part)), "{pattern}: {found:?}");
        }
        let deep = format!("{}(?<a>x){}", "(".repeat(1000), ")".repeat(1000));
        assert!(matches!(problems(&deep).as_slice(), [one] if one.contains("nest")), "{:?}", problems(&deep));
    }
}
