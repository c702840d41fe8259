//! Draws what a terminal shows as an SVG: text with colours on standard input, the picture on standard output.

use std::fmt::Write as _;
use std::io::Read;

/// The size of one character, in pixels, at a font size of 14.
const WIDTH: f64 = 8.43;
const HEIGHT: f64 = 20.0;
const MARGIN: f64 = 16.0;

const BACKGROUND: &str = "#0d1117";
const FOREGROUND: &str = "#e6edf3";

/// The look of text, as escape sequences have set it.
#[derive(Clone, Copy, Default, PartialEq)]
struct Look {
    colour: Option<&'static str>,
    bold: bool,
}

impl Look {
    /// The look after one number of an escape sequence.
    fn after(self, code: &str) -> Self {
        match code {
            "1" => Self { bold: true, ..self },
            "2" => Self { colour: Some("#8b949e"), ..self },
            "31" => Self { colour: Some("#ff7b72"), ..self },
            "32" => Self { colour: Some("#7ee787"), ..self },
            "33" => Self { colour: Some("#e3b341"), ..self },
            "36" => Self { colour: Some("#76e3ea"), ..self },
            "" | "0" => Self::default(),
            _ => self,
        }
    }
}

fn main() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    println!("{}", draw(text.trim_end()));
    Ok(())
}

fn draw(text: &str) -> String {
    let lines: Vec<Vec<(Look, String)>> = text.lines().map(parts).collect();
    let columns = lines.iter().map(|line| line.iter().map(|part| part.1.chars().count()).sum::<usize>());
    let width = columns.max().unwrap_or_default() as f64 * WIDTH + 2.0 * MARGIN;
    let height = lines.len() as f64 * HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"{FOREGROUND}\">\n"
    );
    for (row, line) in lines.iter().enumerate() {
        let mut column = 0;
        for (look, part) in line {
            let count = part.chars().count();
            if !part.trim().is_empty() {
                let (x, y) = (MARGIN + column as f64 * WIDTH, MARGIN + (row as f64 + 0.75) * HEIGHT);
                let colour = look.colour.map(|colour| format!(" fill=\"{colour}\"")).unwrap_or_default();
                let weight = if look.bold { " font-weight=\"bold\"" } else { "" };
                // The length is stated, so that columns line up in whatever font there is.
                let _ = writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{:.1}\"{colour}{weight} xml:space=\"preserve\">{}</text>",
                    count as f64 * WIDTH,
                    escaped(part)
                );
            }
            column += count;
        }
    }
    svg.push_str("</g>\n</svg>");
    svg
}

/// A line cut where its look changes.
fn parts(line: &str) -> Vec<(Look, String)> {
    let mut look = Look::default();
    let mut found = Vec::new();
    for (index, piece) in line.split("\u{1b}[").enumerate() {
        let text = match piece.split_once('m') {
            Some((codes, rest)) if index > 0 => {
                look = codes.split(';').fold(look, Look::after);
                rest
            }
            _ => piece,
        };
        if !text.is_empty() {
            found.push((look, text.to_owned()));
        }
    }
    found
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
