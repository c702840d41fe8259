//! The operator's flags as values of the chart.

use std::any::TypeId;
use std::collections::BTreeSet;

use clap::{Arg, ArgAction, Args, Command};
use mlpipeline_operator::arguments::{Arguments, RunArguments};
use serde_json::{Map, Value, json};

use super::helm;
use super::objects::Objects;

/// Flags that the chart itself sets, by values of its own or since its objects need them so.
const SET_BY_THE_CHART: [&str; 7] = [
    "namespace",
    "worker-image",
    "leader-elect",
    "lease-name",
    "lease-namespace",
    "health-address",
    "metrics-address",
];

fn command() -> Command {
    RunArguments::augment_args(Command::new("operator"))
}

fn flag(argument: &Arg) -> &str {
    argument.get_long().expect("every flag has a long name")
}

/// The schema of the value `operator`.
pub fn schema() -> Value {
    let command = command();
    let open = command.get_arguments().filter(|argument| !SET_BY_THE_CHART.contains(&flag(argument)));
    let properties: Map<String, Value> =
        open.map(|argument| (camel_case(flag(argument)), of(argument))).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn of(argument: &Arg) -> Value {
    let choices: Vec<String> =
        argument.get_possible_values().iter().map(|choice| choice.get_name().to_owned()).collect();
    let is_number = [TypeId::of::<u16>(), TypeId::of::<u32>(), TypeId::of::<u64>()]
        .iter()
        .any(|number| argument.get_value_parser().type_id() == *number);
    // A flag that is null has the program's own default.
    let or_null = |kind: &str| json!([kind, "null"]);
    let mut schema = match argument.get_action() {
        ArgAction::SetTrue => json!({"type": or_null("boolean")}),
        _ if !choices.is_empty() => {
            let choices = choices.into_iter().map(Value::from);
            json!({"enum": choices.chain([Value::Null]).collect::<Vec<_>>()})
        }
        _ if is_number => {
            let (minimum, maximum) = range(argument);
            json!({"type": or_null("integer"), "minimum": minimum, "maximum": maximum})
        }
        _ => json!({"type": or_null("string")}),
    };
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    schema["description"] = help.split_whitespace().collect::<Vec<_>>().join(" ").into();
    if let Some(default) = argument.get_default_values().first().and_then(|default| default.to_str()) {
        // For people: helm takes no default from a schema.
        schema["default"] = default.parse::<u64>().map_or_else(|_| default.into(), Value::from);
    }
    schema
}

/// The smallest and the largest number that the program takes for a flag, as its own parser answers: it does not list them.
fn range(argument: &Arg) -> (u64, u64) {
    let default = argument.get_default_values().first().and_then(|default| default.to_str());
    let inside = default.map_or(1, |default| default.parse().expect("a number"));
    assert!(is_taken(argument, inside), "--{}={inside}", flag(argument));
    let (mut minimum, mut above) = (0, inside);
    while minimum < above {
        let middle = minimum + (above - minimum) / 2;
        if is_taken(argument, middle) { above = middle } else { minimum = middle + 1 }
    }
    let (mut maximum, mut beyond) = (inside, u64::MAX);
    while maximum < beyond {
        let middle = beyond - (beyond - maximum) / 2;
        if is_taken(argument, middle) { maximum = middle } else { beyond = middle - 1 }
    }
    (minimum, maximum)
}

fn is_taken(argument: &Arg, number: u64) -> bool {
    let given = format!("--{}={number}", flag(argument));
    command().try_get_matches_from(["operator", &given]).is_ok()
}

fn camel_case(flag: &str) -> String {
    let mut words = flag.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1);
        name + &head.to_uppercase() + tail
    })
}

fn arguments(objects: &Objects) -> Vec<String> {
    let deployment = objects.get(&format!("Deployment {}/mlpipeline-operator", helm::NAMESPACE));
    let arguments = deployment.pointer("/spec/template/spec/containers/0/args").and_then(Value::as_array);
    arguments.unwrap().iter().map(|argument| argument.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_flag_is_a_value_or_set_by_the_chart_and_the_program_takes_what_is_rendered() {
    let schema = schema();
    let mut values = Map::new();
    for (name, schema) in schema["properties"].as_object().unwrap() {
        let value = match (&schema["enum"][0], schema["type"][0].as_str()) {
            (Value::String(choice), _) => json!(choice),
            (_, Some("integer")) => json!(7),
            (_, Some("boolean")) => json!(true),
            _ => json!("http://collector:4318"),
        };
        values.insert(name.clone(), value);
    }
    let rendered = arguments(&helm::objects(&json!({"operator": values, "namespaces": ["a", "b"]})));
    let given: BTreeSet<&str> = rendered
        .iter()
        .map(|argument| argument.trim_start_matches("--").split('=').next().unwrap())
        .collect();
    let by_environment = ["worker-image"];
    let by_default = ["lease-namespace", "health-address", "metrics-address"];
    let command = command();
    let flags: BTreeSet<&str> = command.get_arguments().map(flag).collect();
    let left: Vec<_> = flags.difference(&given).collect();
    assert!(left.iter().all(|flag| by_environment.contains(flag) || by_default.contains(flag)), "{left:?}");
    let parsed = <Arguments as clap::Parser>::try_parse_from(
        std::iter::once("mlpipeline-operator").chain(rendered.iter().map(String::as_str)),
    );
    let run = parsed.unwrap_or_else(|error| panic!("{rendered:?}: {error}")).run;
    assert_eq!((run.namespaces, run.leader_elect), (vec!["a".to_owned(), "b".to_owned()], true));
}

#[test]
fn a_number_is_refused_exactly_where_the_program_refuses_it() {
    let schema = schema();
    let properties = schema["properties"].as_object().unwrap();
    let numbers: Vec<_> = properties.iter().filter(|(_, schema)| schema["type"][0] == "integer").collect();
    assert!(!numbers.is_empty());
    for (name, schema) in numbers {
        let (minimum, maximum) = (schema["minimum"].as_u64().unwrap(), schema["maximum"].as_u64().unwrap());
        for (number, is_right) in [
            (i128::from(minimum), true),
            (i128::from(maximum), true),
            (i128::from(minimum) - 1, false),
            (i128::from(maximum) + 1, false),
        ] {
            let value: Value = serde_json::from_str(&number.to_string()).unwrap();
            let rendered = helm::try_render(&json!({"operator": {name: value}}), &[]);
            assert_eq!(rendered.is_ok(), is_right, "{name}: {number}");
            let flag = command()
                .get_arguments()
                .map(flag)
                .find(|flag| camel_case(flag) == *name)
                .unwrap()
                .to_owned();
            let parsed = command().try_get_matches_from(["operator", &format!("--{flag}={number}")]);
            assert_eq!(parsed.is_ok(), is_right, "--{flag}={number}");
        }
    }
}

#[test]
fn the_ports_of_the_deployment_are_those_that_the_operator_listens_on() {
    let rendered = arguments(&helm::objects(&json!({})));
    let parsed = <Arguments as clap::Parser>::parse_from(
        std::iter::once("mlpipeline-operator").chain(rendered.iter().map(String::as_str)),
    );
    let objects = helm::objects(&json!({}));
    let deployment = objects.get(&format!("Deployment {}/mlpipeline-operator", helm::NAMESPACE));
    let ports = deployment.pointer("/spec/template/spec/containers/0/ports").unwrap();
    let port = |name: &str| {
        let found = ports.as_array().unwrap().iter().find(|port| port["name"] == name);
        found.unwrap()["containerPort"].as_u64().unwrap()
    };
    assert_eq!(port("metrics"), u64::from(parsed.run.metrics_address.port()));
    assert_eq!(port("health"), u64::from(parsed.run.health_address.port()));
}
