//! What each kind of step needs to make sense.

use std::collections::BTreeSet;

use mlpipeline_crds::{
    Algorithm, Check, DataReference, Format, Gate, Input, Port, Prepare, Run, Serve, ServiceType, Train,
    Workload,
};

use super::Errors;
use crate::core::meaning::format_of_uri;
use crate::core::pipeline::ValidAction;
use crate::core::quoted::quoted;

/// Checks what a step does.
pub(super) fn check_action(action: &ValidAction, path: &str, errors: &mut Errors) {
    match action {
        ValidAction::Prepare(prepare) => check_prepare(prepare, &format!("{path}.prepare"), errors),
        ValidAction::Train(train) => check_train(train, &format!("{path}.train"), errors),
        ValidAction::Serve(serve) => check_serve(serve, &format!("{path}.serve"), errors),
        ValidAction::Score(score) => check_reference(&score.input, &format!("{path}.score.input"), errors),
        ValidAction::Run(run) => check_run(run, &format!("{path}.run"), errors),
    }
}

fn check_prepare(prepare: &Prepare, path: &str, errors: &mut Errors) {
    let count = prepare.inputs.len();
    if prepare.sql.is_none() && count != 1 {
        errors.add_with_hint(
            path,
            format!("has {count} inputs and no sql; without sql exactly one input is copied"),
            "write a SELECT that says what the result is",
        );
    }
    errors.require(
        count <= 16,
        format!("{path}.inputs"),
        format!("has {count} inputs; at most 16 are allowed"),
    );
    errors.require(
        prepare.sql.as_ref().is_none_or(|sql| !sql.trim().is_empty()),
        format!("{path}.sql"),
        "is empty: write a SELECT, or leave sql out to copy the only input",
    );
    let mut names = BTreeSet::new();
    for (index, input) in prepare.inputs.iter().enumerate() {
        let path = format!("{path}.inputs[{index}]");
        // SQL folds the case of names, so two that differ only in case would be one table.
        errors.require(
            names.insert(input.name.to_ascii_lowercase()),
            format!("{path}.name"),
            format!("{} is the name of an earlier input too", quoted(&input.name)),
        );
        check_input(input, &path, errors);
    }
    for (index, check) in prepare.checks.iter().enumerate() {
        check_check(check, &format!("{path}.checks[{index}]"), errors);
    }
}

fn check_input(input: &Input, path: &str, errors: &mut Errors) {
    let first = input.name.chars().next();
    let fits = first.is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && input.name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && input.name.len() <= 63;
    errors.require(
        fits,
        format!("{path}.name"),
        format!(
            "{} is no table name: letters, digits and _, no digit first, 63 at most",
            quoted(&input.name)
        ),
    );
    let reference = DataReference {
        step: input.step.clone(),
        uri: input.uri.clone(),
        format: input.format,
        columns: input.columns.clone(),
        sha256: input.sha256.clone(),
    };
    check_reference(&reference, path, errors);
}

/// Schemes of URIs that the worker can read.
const SCHEMES: [&str; 3] = ["http", "https", "file"];

fn check_reference(reference: &DataReference, path: &str, errors: &mut Errors) {
    match (&reference.uri, &reference.step) {
        (Some(_), Some(_)) => errors.add(path, "has both uri and step: keep one"),
        (None, None) => errors.add(path, "has neither uri nor step: say where the rows are"),
        (None, Some(_)) => {
            let described =
                reference.format.is_some() || !reference.columns.is_empty() || reference.sha256.is_some();
            errors.require(
                !described,
                path,
                "format, columns and sha256 describe a uri: a step's dataset knows its own",
            );
        }
        (Some(uri), None) => check_uri(uri, reference, path, errors),
    }
    let mut columns = BTreeSet::new();
    for (index, column) in reference.columns.iter().enumerate() {
        let path = format!("{path}.columns[{index}]");
        errors.require(!column.is_empty(), &path, "is empty");
        errors.require(
            columns.insert(column),
            &path,
            format!("{} is the name of an earlier column too", quoted(column)),
        );
    }
    if let Some(sha256) = &reference.sha256 {
        let fits = sha256.len() == 64
            && sha256.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        errors.require(fits, format!("{path}.sha256"), "must be 64 lower-case hexadecimal digits");
    }
}

fn check_uri(uri: &str, reference: &DataReference, path: &str, errors: &mut Errors) {
    let uri_path = format!("{path}.uri");
    let known = SCHEMES.join(", ");
    let Some((scheme, rest)) = uri.split_once(':') else {
        errors.add_with_hint(
            uri_path,
            format!("{} has no scheme", quoted(uri)),
            format!("write file: before a path on the volume; schemes are {known}"),
        );
        return;
    };
    if !SCHEMES.contains(&scheme) {
        errors.add(
            &uri_path,
            format!("{} is not a scheme that can be read; there are {known}", quoted(scheme)),
        );
        return;
    }
    if scheme == "file" {
        let confined = !rest.is_empty() && !rest.starts_with('/') && rest.split('/').all(|part| part != "..");
        if !confined {
            errors.add_with_hint(
                &uri_path,
                format!("{} does not stay on the volume", quoted(uri)),
                "write file:folder/name.csv, a path on the volume without .. and without a / first",
            );
        }
    } else {
        errors.require(
            rest.strip_prefix("//").is_some_and(|host| !host.is_empty() && !host.starts_with('/')),
            &uri_path,
            format!("{} names no host", quoted(uri)),
        );
    }
    let format = reference.format.or_else(|| format_of_uri(uri));
    if format.is_none() {
        errors.add_with_hint(
            format!("{path}.format"),
            format!("is missing, and cannot be told from {}", quoted(uri)),
            "set format to csv, ndjson or parquet",
        );
    }
    errors.require(
        reference.columns.is_empty() || format.is_none_or(|format| format == Format::Csv),
        format!("{path}.columns"),
        "name the columns of a CSV file without header; other formats know theirs",
    );
}

fn check_check(check: &Check, path: &str, errors: &mut Errors) {
    let rules = [
        check.not_null.is_some(),
        check.unique.is_some(),
        check.one_of.is_some(),
        check.min.is_some(),
        check.max.is_some(),
    ];
    let has_rule = rules.contains(&true);
    match (&check.sql, &check.column) {
        (Some(_), Some(_)) | (None, None) => errors.add(path, "a check has exactly one of sql and column"),
        (Some(_), None) => {
            errors.require(
                check.equals.is_some(),
                path,
                "an sql check needs equals: the number that the query must give",
            );
            errors.require(!has_rule, path, "notNull, unique, oneOf, min and max go with column");
        }
        (None, Some(_)) => {
            errors.require(
                has_rule,
                path,
                "a column check needs at least one of notNull, unique, oneOf, min and max",
            );
            errors.require(check.equals.is_none(), path, "equals goes with sql");
        }
    }
    for (field, number) in [("equals", check.equals), ("min", check.min), ("max", check.max)] {
        errors.require_finite(number, format!("{path}.{field}"));
    }
    if let (Some(min), Some(max)) = (check.min, check.max) {
        let is_possible = min <= max || min.is_nan() || max.is_nan();
        errors.require(is_possible, path, format!("min {min} is more than max {max}: no value could pass"));
    }
}

fn check_train(train: &Train, path: &str, errors: &mut Errors) {
    check_reference(&train.data, &format!("{path}.data"), errors);
    errors.require(
        !train.target.is_empty(),
        format!("{path}.target"),
        "is empty: name the column to predict",
    );
    let mut features = BTreeSet::new();
    for (index, feature) in train.features.iter().enumerate() {
        let path = format!("{path}.features[{index}]");
        errors.require(
            *feature != train.target,
            &path,
            format!("{} is the target: a model cannot predict from it", quoted(feature)),
        );
        errors.require(
            features.insert(feature),
            &path,
            format!("{} is the name of an earlier feature too", quoted(feature)),
        );
    }
    let classifies = check_algorithm(&train.algorithm, &format!("{path}.algorithm"), errors);
    if let Some(split) = &train.split {
        errors.require(
            split.test > 0.0 && split.test < 1.0,
            format!("{path}.split.test"),
            format!("is {}; more than 0 and less than 1 is allowed", split.test),
        );
        errors.require(
            !split.stratify.unwrap_or_default() || classifies != Some(false),
            format!("{path}.split.stratify"),
            "keeps the classes' shares, and a regression has no classes",
        );
        errors.require(
            split.seed.is_none_or(|seed| seed >= 0),
            format!("{path}.split.seed"),
            "must be 0 or more",
        );
    }
    if let Some(folds) = &train.cross_validation {
        errors.require(
            (2..=100).contains(&folds.folds),
            format!("{path}.crossValidation.folds"),
            format!("is {}; 2 to 100 is allowed", folds.folds),
        );
        errors.require(
            folds.seed.is_none_or(|seed| seed >= 0),
            format!("{path}.crossValidation.seed"),
            "must be 0 or more",
        );
    }
    if let Some(gate) = &train.gate {
        check_gate(gate, classifies, &format!("{path}.gate"), errors);
    }
}

/// Checks the algorithm; says whether it classifies, where that is known.
fn check_algorithm(algorithm: &Algorithm, path: &str, errors: &mut Errors) -> Option<bool> {
    let check_alpha = |alpha: Option<f64>, path: String, errors: &mut Errors| {
        errors.require(
            alpha.is_none_or(|alpha| alpha.is_finite() && alpha >= 0.0),
            path,
            "must be a finite number, 0 or more",
        );
    };
    match (&algorithm.logistic_regression, &algorithm.linear_regression) {
        (Some(logistic), None) => {
            check_alpha(logistic.alpha, format!("{path}.logisticRegression.alpha"), errors);
            errors.require(
                logistic.max_iterations.is_none_or(|most| (1..=100_000).contains(&most)),
                format!("{path}.logisticRegression.maxIterations"),
                "must be 1 to 100000",
            );
            Some(true)
        }
        (None, Some(linear)) => {
            check_alpha(linear.alpha, format!("{path}.linearRegression.alpha"), errors);
            Some(false)
        }
        _ => {
            errors.add(path, "needs exactly one of logisticRegression and linearRegression");
            None
        }
    }
}

fn check_gate(gate: &Gate, classifies: Option<bool>, path: &str, errors: &mut Errors) {
    errors.require(
        gate.min.is_some() || gate.max.is_some() || gate.max_regression.is_some(),
        path,
        "needs at least one of min, max and maxRegression",
    );
    let fits = classifies.is_none_or(|classifies| classifies == gate.metric.is_classification());
    if !fits {
        let known: Vec<&str> = mlpipeline_crds::Metric::ALL
            .into_iter()
            .filter(|metric| Some(metric.is_classification()) == classifies)
            .map(mlpipeline_crds::Metric::name)
            .collect();
        errors.add(
            format!("{path}.metric"),
            format!(
                "\"{}\" is not measured for this algorithm; there are {}",
                gate.metric.name(),
                known.join(", ")
            ),
        );
    }
    let numbers = [("min", gate.min), ("max", gate.max), ("maxRegression", gate.max_regression)];
    for (field, number) in numbers {
        errors.require_finite(number, format!("{path}.{field}"));
    }
    if let (Some(min), Some(max)) = (gate.min, gate.max) {
        let is_possible = min <= max || min.is_nan() || max.is_nan();
        errors.require(is_possible, path, format!("min {min} is more than max {max}: no model could pass"));
    }
    errors.require(
        gate.max_regression.is_none_or(|allowed| allowed >= 0.0 || allowed.is_nan()),
        format!("{path}.maxRegression"),
        "must be 0 or more",
    );
}

fn check_serve(serve: &Serve, path: &str, errors: &mut Errors) {
    errors.require(
        serve.replicas.is_none_or(|replicas| (0..=1000).contains(&replicas)),
        format!("{path}.replicas"),
        "must be 0 to 1000",
    );
    if let Some(autoscaling) = &serve.autoscaling {
        errors.require(
            serve.replicas.is_none(),
            format!("{path}.replicas"),
            "and autoscaling exclude each other: autoscaling has minReplicas and maxReplicas",
        );
        let min = autoscaling.min_replicas.unwrap_or(1);
        errors.require(
            (1..=autoscaling.max_replicas).contains(&min),
            format!("{path}.autoscaling.minReplicas"),
            format!("is {min}; 1 to maxReplicas ({}) is allowed", autoscaling.max_replicas),
        );
    }
    if let Some(service) = &serve.service {
        let kind = service.service_type.unwrap_or_default();
        check_ports(service.port, service.node_port, kind, &format!("{path}.service"), errors);
    }
    if let Some(ingress) = &serve.ingress {
        let host = ingress.host.strip_prefix("*.").unwrap_or(&ingress.host);
        errors.require(
            super::is_dns_name(host),
            format!("{path}.ingress.host"),
            format!("{} is no host name", quoted(&ingress.host)),
        );
        errors.require(
            ingress.path.as_ref().is_none_or(|path| path.starts_with('/')),
            format!("{path}.ingress.path"),
            "must begin with /",
        );
    }
}

fn check_ports(
    port: Option<i32>,
    node_port: Option<i32>,
    kind: ServiceType,
    path: &str,
    errors: &mut Errors,
) {
    for (field, value) in [("port", port), ("nodePort", node_port)] {
        errors.require(
            value.is_none_or(|value| (1..=65535).contains(&value)),
            format!("{path}.{field}"),
            "must be 1 to 65535",
        );
    }
    errors.require(
        node_port.is_none() || matches!(kind, ServiceType::NodePort | ServiceType::LoadBalancer),
        format!("{path}.nodePort"),
        "goes with type NodePort or LoadBalancer",
    );
}

fn check_run(run: &Run, path: &str, errors: &mut Errors) {
    errors.require(!run.image.trim().is_empty(), format!("{path}.image"), "is empty: name a container image");
    let workload = run.workload.unwrap_or_default();
    let is_job = workload == Workload::Job;
    let scales = matches!(workload, Workload::Deployment | Workload::StatefulSet);
    let rules = [
        ("completions", run.completions.is_some(), is_job, "Job"),
        ("restartPolicy", run.restart_policy.is_some(), is_job, "Job"),
        ("replicas", run.replicas.is_some(), scales, "Deployment or StatefulSet"),
        ("replicaVolume", run.replica_volume.is_some(), workload == Workload::StatefulSet, "StatefulSet"),
    ];
    for (field, present, allowed, workloads) in rules {
        errors.require(
            !present || allowed,
            format!("{path}.{field}"),
            format!("goes with workload {workloads}"),
        );
    }
    let mut names = BTreeSet::new();
    for (index, input) in run.inputs.iter().enumerate() {
        errors.require(
            names.insert(crate::core::names::environment_name(&input.name)),
            format!("{path}.inputs[{index}].name"),
            format!("{} has the same environment variable as an earlier input", quoted(&input.name)),
        );
    }
    check_run_ports(&run.ports, path, errors);
}

fn check_run_ports(ports: &[Port], path: &str, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        let kind = port.service.unwrap_or_default();
        check_ports(Some(port.port), port.node_port, kind, &path, errors);
        errors.require(
            names.insert(&port.name),
            format!("{path}.name"),
            format!("{} is the name of an earlier port too", quoted(&port.name)),
        );
        let first = ports.first().and_then(|first| first.service).unwrap_or_default();
        errors.require(
            kind == first,
            format!("{path}.service"),
            "differs from that of the first port: all ports of a step share one Service",
        );
    }
}
