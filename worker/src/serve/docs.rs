//! The page at `/docs`: what the model predicts, how well, and a form to try it, made from the schema it was trained with.
//!
//! Owns the page and its security policy. It loads nothing from anywhere, and every value in it is escaped.

use std::fmt::Write as _;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use mlpipeline_crds::{Metric, telling_first};
use sha2::{Digest as _, Sha256};

use super::auth::KEY_HEADER;
use super::limits::ServingLimits;
use super::openapi::{example, rounded};
use crate::model::{Feature, FeatureKind, Model, NumberValues, Target, TextValues, Values};
use crate::preprocess::shown_time;

const PAGE: &str = include_str!("docs.html");
const STYLE: &str = include_str!("docs.css");
const SCRIPT: &str = include_str!("docs.js");

/// How many metrics and classes the page's head names.
const MAX_NAMED: usize = 8;

/// How many steps a slider has.
const SLIDER_STEPS: f64 = 100.0;

/// The page and its policy, made once for a model.
#[derive(Clone, Debug)]
pub struct Page {
    html: Bytes,
    policy: HeaderValue,
}

impl Page {
    /// The page of a model.
    #[must_use]
    pub fn new(model: &Model, revision: &str, limits: ServingLimits) -> Self {
        let target = &model.schema().target;
        let key_note = if limits.needs_key { "; needs the API key" } else { "" };
        let parts = [
            ("target", escape(target.name())),
            ("style", STYLE.to_owned()),
            ("script", SCRIPT.to_owned()),
            ("lead", escape(&lead(model))),
            ("facts", facts(model, revision)),
            ("key", key_field(limits.needs_key).to_owned()),
            ("key_note", key_note.to_owned()),
            ("fields", fields(&model.schema().features)),
            ("curl", escape(&command(model, limits.needs_key))),
            ("max_rows", grouped(limits.max_rows)),
            ("max_body", size(limits.max_body_bytes)),
        ];
        Self { html: fill(PAGE, &parts).into(), policy: policy() }
    }

    /// The answer to `GET /docs`.
    #[must_use]
    pub fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        (headers, self.html.clone()).into_response()
    }
}

/// Only our own script and style run, and only this server is asked.
fn policy() -> HeaderValue {
    let hash = |text: &str| BASE64.encode(Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    // Base64 is always a header.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Puts each part in place of its `{{name}}`, in one pass, so that a part's text is never taken for a place.
fn fill(page: &str, parts: &[(&str, String)]) -> String {
    let mut filled =
        String::with_capacity(page.len() + parts.iter().map(|(_, part)| part.len()).sum::<usize>());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        filled.push_str(before);
        filled.push_str(parts.iter().find(|(known, _)| *known == name).map_or("", |(_, part)| part));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Text that means itself in HTML, in attributes too.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn lead(model: &Model) -> String {
    let schema = model.schema();
    let from = match schema.features.len() {
        1 => "one feature".to_owned(),
        count => format!("{count} features"),
    };
    match &schema.target {
        Target::Number { min, max, .. } if min == max => format!("A number, from {from}."),
        Target::Number { min, max, .. } => {
            format!("A number, from {from}. In training it was between {min} and {max}.")
        }
        Target::Class { labels, .. } => {
            let named: Vec<String> = labels.iter().take(MAX_NAMED).map(ToString::to_string).collect();
            let more = if labels.len() > MAX_NAMED { ", …" } else { "" };
            format!("One of {} classes, from {from}: {}{more}.", labels.len(), named.join(", "))
        }
        Target::Finding(finding) => {
            format!("What was learned without a target, from {from}: {}.", finding.lead())
        }
    }
}

fn facts(model: &Model, revision: &str) -> String {
    let info = model.info();
    let main = Metric::main(&info.metrics, None);
    let metrics = telling_first(&info.metrics, main).into_iter().take(MAX_NAMED);
    let metrics = metrics.map(|(name, value)| (name.to_owned(), rounded(value).to_string()));
    let facts =
        [("algorithm".to_owned(), info.algorithm.clone()), ("revision".to_owned(), revision.to_owned())];
    let mut html = String::new();
    for (name, value) in facts.into_iter().chain(metrics) {
        // Writing to a string cannot fail.
        let _ = write!(html, "<div><dt>{}</dt><dd>{}</dd></div>", escape(&name), escape(&value));
    }
    html
}

fn key_field(needed: bool) -> &'static str {
    if needed {
        "<div class=\"field\"><label for=\"key\">API key</label>\
         <input id=\"key\" type=\"password\" autocomplete=\"off\" spellcheck=\"false\"></div>"
    } else {
        ""
    }
}

fn fields(features: &[Feature]) -> String {
    let mut html = String::new();
    for (index, feature) in features.iter().enumerate() {
        let name = escape(&feature.name);
        let (input, range) = match &feature.values {
            Values::Number(numbers) if numbers.kind == FeatureKind::Boolean => {
                let checked = if numbers.example == 0.0 { "" } else { " checked" };
                (
                    format!("<input id=\"f{index}\" type=\"checkbox\" data-feature=\"{name}\"{checked}>"),
                    String::new(),
                )
            }
            Values::Number(numbers) => (
                number_inputs(index, &name, numbers),
                if numbers.min < numbers.max {
                    format!("<small>{} – {}</small>", rounded(numbers.min), rounded(numbers.max))
                } else {
                    String::new()
                },
            ),
            Values::Text(texts) => (text_input(index, &name, texts), String::new()),
            Values::Time(times) => {
                let shown = |time| escape(&shown_time(time, times.kind));
                let input = format!(
                    "<input id=\"f{index}\" type=\"text\" data-feature=\"{name}\" value=\"{}\">",
                    shown(times.example)
                );
                (input, format!("<small>{} – {}</small>", shown(times.min), shown(times.max)))
            }
        };
        let _ = writeln!(
            html,
            "<div class=\"field\"><label for=\"f{index}\"><span>{name}</span>{range}</label>{input}</div>"
        );
    }
    html
}

/// A field for text that proposes the frequent ones.
fn text_input(index: usize, name: &str, texts: &TextValues) -> String {
    let options: String =
        texts.common.iter().map(|text| format!("<option value=\"{}\">", escape(text))).collect();
    let value = texts.common.first().map(|text| escape(text)).unwrap_or_default();
    format!(
        "<input id=\"f{index}\" type=\"text\" list=\"l{index}\" data-feature=\"{name}\" value=\"{value}\">\
         <datalist id=\"l{index}\">{options}</datalist>"
    )
}

fn number_inputs(index: usize, name: &str, feature: &NumberValues) -> String {
    let value = feature.example;
    let step =
        if feature.kind == FeatureKind::Integer { 1.0 } else { slider_step(feature.max - feature.min) };
    // Without a finite range there is nothing to slide along.
    let slider = if step.is_finite() && step > 0.0 && feature.max > feature.min {
        format!(
            "<input type=\"range\" aria-label=\"{name}, slider\" min=\"{}\" max=\"{}\" step=\"{step}\" value=\"{value}\">",
            feature.min, feature.max
        )
    } else {
        "<span></span>".to_owned()
    };
    let number = format!(
        "<input id=\"f{index}\" type=\"number\" step=\"any\" data-feature=\"{name}\" value=\"{value}\">"
    );
    format!("<div class=\"pair\">{slider}{number}</div>")
}

/// A power of ten that divides the range into at least [`SLIDER_STEPS`] steps, where ten times it would not; so the
/// slider's values are round.
fn slider_step(range: f64) -> f64 {
    let exponent = (range / SLIDER_STEPS).log10().floor();
    format!("1e{exponent}").parse().unwrap_or(f64::NAN)
}

/// The command that asks for the example's prediction; the page's script puts its own address in.
fn command(model: &Model, needs_key: bool) -> String {
    let key = if needs_key { format!(" \\\n  -H \"{KEY_HEADER}: $API_KEY\"") } else { String::new() };
    let body = example(model).to_string().replace('\'', "'\\''");
    format!(
        "curl -X POST http://localhost:8000/predict \\\n  -H \"content-type: application/json\"{key} \\\n  -d '{body}'"
    )
}

/// A whole number with its digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A size for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests;
