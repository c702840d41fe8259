//! Notations of dates as Java, spreadsheets and databases write them, `DD.MM.YYYY`, said again as strftime does: for advice alone.

/// The notation in strftime; `None` where it has no letters, or other ones, or is one of strftime already.
pub(crate) fn in_strftime(text: &str) -> Option<String> {
    if text.contains('%') {
        return None;
    }
    let (mut written, mut rest) = (String::with_capacity(text.len()), text);
    let (mut has_hour, mut has_minute, mut has_letters) = (false, false, false);
    while let Some(sign) = rest.chars().next() {
        let (run, behind) = split_run(rest, sign);
        rest = behind;
        if !sign.is_alphabetic() {
            // What is quoted, as 'T', stands there as it is.
            written.push_str(&run.replace('\'', ""));
            continue;
        }
        let part = match (sign.to_ascii_lowercase(), run.len()) {
            ('t', 1) => "T",
            ('y', 4) => "%Y",
            ('y', 2) => "%y",
            ('m', 4) => "%B",
            ('m', 3) => "%b",
            // Months and minutes have the same letter, and minutes stand behind hours.
            ('m', 1 | 2) if has_hour && !has_minute => {
                has_minute = true;
                "%M"
            }
            ('m', 1 | 2) => "%m",
            ('d', 1 | 2) => "%d",
            ('e', 1..=3) => "%a",
            ('h', 1 | 2) => {
                has_hour = true;
                // Of databases: HH24, and MI for the minute.
                rest = rest.strip_prefix("24").unwrap_or(rest);
                "%H"
            }
            ('s', 1 | 2) => "%S",
            ('s', 3..=9) => "%f",
            ('a', 1) => "%p",
            _ => return None,
        };
        has_letters |= part != "T";
        written.push_str(part);
    }
    // An hour beside am or pm is one of twelve.
    let written = if written.contains("%p") { written.replace("%H", "%I") } else { written };
    has_letters.then_some(written)
}

/// The same sign as often as it comes, and what is behind; of `MI`, both.
fn split_run(text: &str, sign: char) -> (&str, &str) {
    if let Some(behind) = text.strip_prefix("MI").or_else(|| text.strip_prefix("mi")) {
        return ("mm", behind);
    }
    let end = text.find(|found| found != sign).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_other_programs_are_said_as_strftime_does() {
        for (text, expected) in [
            ("DD.MM.YYYY", Some("%d.%m.%Y")),
            ("dd/MM/yy", Some("%d/%m/%y")),
            ("mm/dd/yyyy", Some("%m/%d/%Y")),
            ("d-MMM-yyyy", Some("%d-%b-%Y")),
            ("yyyy-MM-dd'T'HH:mm:ss.SSS", Some("%Y-%m-%dT%H:%M:%S.%f")),
            ("YYYY-MM-DD HH24:MI:SS", Some("%Y-%m-%d %H:%M:%S")),
            ("HH:mm dd.MM.yyyy", Some("%H:%M %d.%m.%Y")),
            ("M/d/yyyy h:mm a", Some("%m/%d/%Y %I:%M %p")),
            ("abc", None),
            ("%DD.%MM", None),
            ("2024-01-31", None),
            ("", None),
        ] {
            assert_eq!(in_strftime(text).as_deref(), expected, "{text}");
        }
    }
}
