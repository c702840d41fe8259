//! What the command line says of columns: what each is taken as, and how it is scaled.

use mlpipeline_crds::{ColumnRole, Scale, TrainColumn};

/// A scale, of all columns where none is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleFlag {
    column: Option<String>,
    scale: Scale,
}

pub(super) fn parse_column(text: &str) -> Result<TrainColumn, String> {
    let (name, role) = text.rsplit_once('=').ok_or("write COLUMN=ROLE, for example zip=category")?;
    let (role, number) = match role.split_once(':') {
        Some(("ordinal", order)) => {
            let order = order.split('|').map(str::to_owned).collect();
            let taken_as = Some(ColumnRole::Ordinal);
            return Ok(TrainColumn { taken_as, order, ..TrainColumn::named(name) });
        }
        Some((role, number)) => {
            let most = if role == "category" { 1000 } else { 4096 };
            let read = number.parse::<i32>().ok().filter(|number| (1..=most).contains(number));
            (role, Some(read.ok_or(format!("\"{number}\" is not a whole number from 1 to {most}"))?))
        }
        None => (role, None),
    };
    let taken_as = match role {
        "number" => ColumnRole::Number,
        "category" => ColumnRole::Category,
        "ordinal" => ColumnRole::Ordinal,
        "date" => ColumnRole::Date,
        "text" => ColumnRole::Text,
        "target" => ColumnRole::Target,
        "hash" => ColumnRole::Hash,
        "ignore" => ColumnRole::Ignore,
        other => {
            let roles = "number, category, ordinal, date, text, target, hash, ignore";
            return Err(format!("\"{other}\" is not one of {roles}"));
        }
    };
    let mut column = TrainColumn { taken_as: Some(taken_as), ..TrainColumn::named(name) };
    match (taken_as, number) {
        (_, None) => {}
        (ColumnRole::Category, Some(_)) => column.max_categories = number,
        (ColumnRole::Text, Some(_)) => column.max_terms = number,
        (ColumnRole::Hash, Some(_)) => column.buckets = number,
        (
            ColumnRole::Number
            | ColumnRole::Ordinal
            | ColumnRole::Date
            | ColumnRole::Target
            | ColumnRole::Ignore,
            Some(_),
        ) => {
            return Err(format!("a number goes with category, text and hash; leave it out of {role}"));
        }
    }
    Ok(column)
}

pub(super) fn parse_scale(text: &str) -> Result<ScaleFlag, String> {
    let (column, name) = match text.rsplit_once('=') {
        Some((column, name)) => (Some(column.to_owned()), name),
        None => (None, text),
    };
    let scale = match name {
        "standard" => Scale::Standard,
        "min-max" | "minMax" => Scale::MinMax,
        "none" => Scale::None,
        other => return Err(format!("\"{other}\" is not one of standard, min-max, none")),
    };
    Ok(ScaleFlag { column, scale })
}

/// The scale of columns that none is named for: the last that is given.
pub(super) fn scale_of_all(flags: &[ScaleFlag]) -> Option<Scale> {
    flags.iter().rev().find(|flag| flag.column.is_none()).map(|flag| flag.scale)
}

/// What is said of columns, with the scales that name one.
pub(super) fn with_scales(columns: &[TrainColumn], flags: &[ScaleFlag]) -> Vec<TrainColumn> {
    let mut columns = columns.to_vec();
    for ScaleFlag { column, scale } in flags {
        let Some(name) = column else { continue };
        match columns.iter_mut().find(|column| column.name == *name) {
            Some(column) => column.scale = Some(*scale),
            None => columns.push(TrainColumn { scale: Some(*scale), ..TrainColumn::named(name) }),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_or_refused() {
        let column = parse_column("a=b=category").expect("a column");
        assert_eq!((column.name.as_str(), column.taken_as), ("a=b", Some(ColumnRole::Category)));
        let column = parse_column("body=text:500").expect("a column");
        assert_eq!((column.taken_as, column.max_terms), (Some(ColumnRole::Text), Some(500)));
        assert_eq!(parse_column("zip=hash:8").expect("a column").buckets, Some(8));
        let column = parse_column("size=ordinal:S|M|L").expect("a column");
        assert_eq!(
            (column.taken_as, column.order.join(",")),
            (Some(ColumnRole::Ordinal), "S,M,L".to_owned())
        );
        assert!(parse_column("size=ordinal").expect("a column").order.is_empty());
        for wrong in [
            "zip",
            "zip=words",
            "zip=hash:many",
            "zip=target:5",
            "zip=text:",
            "zip=text:0",
            "zip=category:1001",
        ] {
            assert!(parse_column(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn scales_are_read_or_refused() {
        let flag = parse_scale("standard").expect("a scale");
        assert_eq!(flag, ScaleFlag { column: None, scale: Scale::Standard });
        let flag = parse_scale("a=b=min-max").expect("a scale");
        assert_eq!(flag, ScaleFlag { column: Some("a=b".to_owned()), scale: Scale::MinMax });
        assert_eq!(parse_scale("age=none").expect("a scale").scale, Scale::None);
        for wrong in ["", "age", "age=", "standard=age", "age=robust"] {
            assert!(parse_scale(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn scales_are_of_the_column_that_they_name_and_else_of_all() {
        let flags = ["none", "age=min-max", "standard", "size=standard"]
            .map(|text| parse_scale(text).expect("a scale"));
        assert_eq!(scale_of_all(&flags), Some(Scale::Standard));
        assert_eq!(scale_of_all(&[]), None);
        let columns = with_scales(&[parse_column("size=ordinal:S|M").expect("a column")], &flags);
        let found: Vec<_> =
            columns.iter().map(|column| (column.name.as_str(), column.scale, column.taken_as)).collect();
        assert_eq!(
            found,
            [("size", Some(Scale::Standard), Some(ColumnRole::Ordinal)), ("age", Some(Scale::MinMax), None),]
        );
    }
}
