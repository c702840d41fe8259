//! Checks as they are typed on a command line.

use mlpipeline_crds::{Check, CheckNumber};

/// Reads `COLUMN RULE…`: `species notNull oneOf=setosa,virginica`. A column with spaces is written in double quotes.
///
/// # Errors
/// When the text is not a check.
pub(super) fn parse_check(text: &str) -> Result<Check, String> {
    let text = text.trim();
    let (column, rules) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("the column's closing quote is missing")?,
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    };
    let mut check = Check { column: Some(column.to_owned()), ..Check::default() };
    let number = |rule: &str, value: &str| {
        CheckNumber::parse(value).ok_or_else(|| format!("{rule}={value}: a number is expected"))
    };
    for rule in rules.split_whitespace() {
        match rule.split_once('=').unwrap_or((rule, "")) {
            ("notNull", "") => check.not_null = Some(true),
            ("unique", "") => check.unique = Some(true),
            ("oneOf", values) if !values.is_empty() => {
                check.one_of = Some(values.split(',').map(str::to_owned).collect());
            }
            ("min", value) => check.min = Some(number("min", value)?),
            ("max", value) => check.max = Some(number("max", value)?),
            _ => {
                return Err(format!(
                    "\"{rule}\" is not a rule; there are notNull, unique, oneOf=A,B, min=N and max=N"
                ));
            }
        }
    }
    let has_rule = check.not_null.is_some()
        || check.unique.is_some()
        || check.one_of.is_some()
        || check.min.is_some()
        || check.max.is_some();
    if column.is_empty() || !has_rule {
        return Err("write a column and at least one rule: species notNull".to_owned());
    }
    Ok(check)
}

/// Reads `SELECT … = NUMBER`.
///
/// # Errors
/// When the text is not a check.
pub(super) fn parse_check_sql(text: &str) -> Result<Check, String> {
    let wrong = || {
        "write a query and the number it must give: SELECT count(*) FROM output WHERE x < 0 = 0".to_owned()
    };
    let (sql, number) = text.rsplit_once('=').ok_or_else(wrong)?;
    let equals = CheckNumber::parse(number.trim()).ok_or_else(wrong)?;
    Ok(Check { sql: Some(sql.trim().to_owned()), equals: Some(equals), ..Check::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_read_or_refused() {
        let check = parse_check("\"Petal Width\" notNull unique oneOf=a,b min=-1 max=2.5").expect("a check");
        let expected = Check {
            column: Some("Petal Width".into()),
            not_null: Some(true),
            unique: Some(true),
            one_of: Some(vec!["a".into(), "b".into()]),
            min: Some((-1.0).into()),
            max: Some(2.5.into()),
            ..Check::default()
        };
        assert_eq!(check, expected);
        for wrong in
            ["", "species", "species nonull", "species min=x", "species notNull=1", "\"a", "species oneOf="]
        {
            assert!(parse_check(wrong).is_err(), "{wrong}");
        }
        let check = parse_check_sql("SELECT count(*) FROM output WHERE a >= 1 = 0").expect("a check");
        assert_eq!(
            (check.sql.as_deref(), check.equals),
            (Some("SELECT count(*) FROM output WHERE a >= 1"), Some(0.0.into()))
        );
        assert!(parse_check_sql("SELECT 1").is_err());
    }
}
