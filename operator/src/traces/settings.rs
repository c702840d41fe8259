//! Whether and where traces are sent: the flag and OpenTelemetry's own variables combined.
//!
//! Reads no environment itself. What the SDK reads by itself (headers, names, batches) is left to it.

use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

/// The longest that one request may take by default: the specification's own value.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The samplers that the SDK has. It silently samples every trace for any other name.
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Where traces are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The whole address, path included.
    pub endpoint: Uri,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// A file of the authorities, as PEM, that the collector's certificate may come from; those of the system when absent.
    pub certificate: Option<PathBuf>,
}

/// Settings that are not valid. No value is repeated that may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An address that nothing can be sent to.
    #[error(
        "{setting} {problem}; set the address of a collector that accepts OTLP over HTTP, such as http://collector:4318"
    )]
    Endpoint {
        /// The flag or variable.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A protocol that the operator does not support.
    #[error(
        "{setting} is \"{found}\", and only http/protobuf is supported; collectors accept it at port 4318, not at gRPC's 4317"
    )]
    Protocol {
        /// The variable.
        setting: &'static str,
        /// Its value.
        found: String,
    },
    /// A sampler that the SDK does not have.
    #[error("OTEL_TRACES_SAMPLER is \"{found}\"; allowed are {}", SAMPLERS.join(", "))]
    Sampler {
        /// Its value.
        found: String,
    },
    /// A share that is not a number from 0 to 1.
    #[error(
        "OTEL_TRACES_SAMPLER_ARG must be the share of traces to keep, from 0 to 1, for this OTEL_TRACES_SAMPLER"
    )]
    Share,
}

/// A flag or variable, its value, and what is appended to it.
type Place = (&'static str, String, &'static str);

/// Where to send traces, if they are requested: the flag comes first, then the variables in the specification's order.
///
/// # Errors
/// When traces are requested, and cannot be sent in that way.
pub fn settings(
    flag: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Settings>, SettingsError> {
    // By the specification an empty variable counts as not set.
    let set = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let either = |one: &'static str, other: &'static str| {
        set(one).map(|value| (one, value)).or_else(|| set(other).map(|value| (other, value)))
    };
    let is_off = set("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none");
    let flag = flag.map(str::trim).filter(|text| !text.is_empty());
    let place: Option<Place> = flag
        .map(|text| ("--otlp-endpoint", text.to_owned(), "/v1/traces"))
        .or_else(|| {
            let name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
            set(name).map(|text| (name, text, ""))
        })
        .or_else(|| {
            let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
            set(name).map(|text| (name, text, "/v1/traces"))
        });
    let Some(place) = place.filter(|_| !is_off) else { return Ok(None) };
    if let Some((setting, found)) =
        either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
        && found != "http/protobuf"
    {
        return Err(SettingsError::Protocol { setting, found });
    }
    check_sampler(set("OTEL_TRACES_SAMPLER"), set("OTEL_TRACES_SAMPLER_ARG"))?;
    let timeout = either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
        .and_then(|(_, text)| text.parse().ok())
        .filter(|milliseconds| *milliseconds > 0)
        .map_or(TIMEOUT, Duration::from_millis);
    let certificate = either("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE");
    Ok(Some(Settings {
        endpoint: endpoint(place)?,
        timeout,
        certificate: certificate.map(|(_, path)| PathBuf::from(path)),
    }))
}

fn endpoint((setting, text, path): Place) -> Result<Uri, SettingsError> {
    let wrong = |problem| SettingsError::Endpoint { setting, problem };
    let base = if path.is_empty() { &text } else { text.trim_end_matches('/') };
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(wrong("starts with neither http:// nor https://"));
    }
    let uri: Uri = format!("{base}{path}").parse().map_err(|_| wrong("is not a valid URL"))?;
    let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("contains a user name or password; use OTEL_EXPORTER_OTLP_HEADERS"));
    }
    if !path.is_empty() && uri.query().is_some() {
        return Err(wrong("contains a query, so that no path can be appended"));
    }
    Ok(uri)
}

fn check_sampler(name: Option<String>, share: Option<String>) -> Result<(), SettingsError> {
    let Some(found) = name else { return Ok(()) };
    if !SAMPLERS.contains(&found.as_str()) {
        return Err(SettingsError::Sampler { found });
    }
    let share = share.and_then(|text| text.parse::<f64>().ok());
    if found.ends_with("traceidratio") && !share.is_some_and(|share| (0.0..=1.0).contains(&share)) {
        return Err(SettingsError::Share);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Settings>, SettingsError> {
        let known = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        settings(flag, known)
    }

    fn endpoint_of(flag: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        of(flag, variables).expect("good settings").map(|settings| settings.endpoint.to_string())
    }

    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:4318/");
    const TRACES: (&str, &str) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/own?team=a");

    #[test]
    fn traces_are_off_unless_an_endpoint_is_given() {
        assert_eq!(of(None, &[]), Ok(None));
        assert_eq!(of(Some(" "), &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Ok(None));
        assert_eq!(of(None, &[BASE, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert_eq!(of(Some("http://flag:4318"), &[("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
    }

    #[test]
    fn the_flag_comes_first_then_the_variable_for_traces_then_the_one_for_all_signals() {
        assert_eq!(endpoint_of(None, &[BASE]).as_deref(), Some("http://base:4318/v1/traces"));
        assert_eq!(endpoint_of(None, &[BASE, TRACES]).as_deref(), Some("https://traces/own?team=a"));
        let all = endpoint_of(Some("http://flag:4318/prefix"), &[BASE, TRACES]);
        assert_eq!(all.as_deref(), Some("http://flag:4318/prefix/v1/traces"));
    }

    #[test]
    fn time_and_authorities_are_the_specification_s_and_those_for_traces_come_first() {
        let settings = of(None, &[BASE]).expect("good settings").expect("on");
        assert_eq!((settings.timeout, settings.certificate), (TIMEOUT, None));
        let variables = [
            BASE,
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "700"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.crt"),
        ];
        let settings = of(None, &variables).expect("good settings").expect("on");
        assert_eq!(settings.timeout, Duration::from_millis(700));
        assert_eq!(settings.certificate.as_deref(), Some(std::path::Path::new("/etc/ca.crt")));
    }

    #[test]
    fn settings_that_are_not_supported_are_errors_that_say_what_to_do() {
        let error = |flag: Option<&str>, variables: &[(&str, &str)]| {
            of(flag, variables).expect_err("an error").to_string()
        };
        for (flag, problem) in [
            ("collector:4318", "neither http:// nor https://"),
            ("grpc://collector:4317", "neither http:// nor https://"),
            ("http://", "is not a valid URL"),
            ("http://a b", "is not a valid URL"),
            ("http://collector?key=1", "contains a query"),
        ] {
            let message = error(Some(flag), &[]);
            assert!(message.contains("--otlp-endpoint") && message.contains(problem), "{flag}: {message}");
        }
        let message = error(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hidden@collector:4318")]);
        assert!(message.contains("OTEL_EXPORTER_OTLP_HEADERS") && !message.contains("hidden"), "{message}");
        let message = error(None, &[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert!(message.contains("\"grpc\"") && message.contains("4318"), "{message}");
        let message = error(None, &[BASE, ("OTEL_TRACES_SAMPLER", "jaeger_remote")]);
        assert!(message.contains("parentbased_traceidratio"), "{message}");
        for share in ["", "2", "half"] {
            let variables =
                [BASE, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", share)];
            assert_eq!(of(None, &variables), Err(SettingsError::Share), "{share}");
        }
    }

    #[test]
    fn invalid_settings_do_not_matter_where_traces_are_off() {
        assert_eq!(
            of(None, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_TRACES_SAMPLER", "x")]),
            Ok(None)
        );
    }
}
