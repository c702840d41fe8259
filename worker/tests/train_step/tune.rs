//! A search for parameters: which trials there are, which rows they see, and what is said of them.

use serde_json::{Value, json};

use crate::steps::{evaluation, iris, published, train, with_data};
use crate::support::{Volume, text, worker};

fn model(volume: &Volume) -> Value {
    let path = published(volume, "train").join("model.json");
    serde_json::from_slice(&std::fs::read(path).expect("model.json")).expect("JSON")
}

/// Each trial's parameters and value, the best first.
fn trials(volume: &Volume) -> Vec<(Value, Option<f64>)> {
    let found = evaluation(volume)["tuning"]["trials"].clone();
    let trials = found.as_array().expect("trials").iter();
    trials.map(|trial| (trial["parameters"].clone(), trial["value"].as_f64())).collect()
}

#[test]
fn the_best_of_a_grid_is_learnt_from_all_rows_that_are_not_held_out() {
    let split = json!({"test": 0.2, "stratify": true, "seed": 3});
    let volume = with_data(&iris());
    let tune = json!({"parameters": {"alpha": [100, 1, 10_000], "penalty": ["l2", "none"]}, "metric": "logLoss", "folds": 4});
    let fields = json!({"split": split, "tune": tune, "gate": {"metric": "accuracy", "min": 0.9}});
    let ended = volume.step(&train(fields), &[]);
    let report = &ended.succeeds().report;
    let found = trials(&volume);
    assert_eq!(found.len(), 6);
    // alpha does nothing with penalty none, which is said of these trials and does not end the others.
    let failed: Vec<&Value> = found.iter().filter(|(_, value)| value.is_none()).map(|(of, _)| of).collect();
    assert!(
        failed.iter().all(|of| of["penalty"] == "none" && of["alpha"] != 1) && failed.len() == 2,
        "{found:?}"
    );
    let values: Vec<f64> = found.iter().filter_map(|(_, value)| *value).collect();
    assert!(values.windows(2).all(|pair| pair[0] <= pair[1]), "{values:?}");
    let message = report.message.as_deref().expect("a message");
    let best = &report.trials[0];
    let expected = format!("the best of 6 trials over 4 folds: {} (logLoss ", best.shown());
    assert!(message.starts_with(&expected) && message.contains("2 of them failed, the first: "), "{message}");
    let card = std::fs::read_to_string(published(&volume, "train").join("card.html")).expect("card.html");
    assert!(card.contains("How its parameters were found") && card.contains("6 trials (grid)"));

    // The same model as without a search, by the parameters that were found.
    let direct = with_data(&iris());
    let fields = json!({"split": split, "algorithm": {"logisticRegression": best.parameters}});
    direct.step(&train(fields), &[]).succeeds();
    assert_eq!(model(&volume)["predictor"], model(&direct)["predictor"]);
    assert_eq!(evaluation(&volume)["metrics"], evaluation(&direct)["metrics"]);
}

#[test]
fn trials_do_not_see_rows_that_are_held_out() {
    let data = iris();
    let fields = json!({
        "split": {"test": 0.2, "seed": 5},
        "algorithm": {"gaussianNaiveBayes": {}},
        "tune": {"search": "random", "trials": 3, "metric": "logLoss", "parameters": {"varSmoothing": {"min": 1e-9, "max": 0.1, "log": true}}},
    });
    let measured = |data: &str| {
        let volume = with_data(data);
        volume.step(&train(fields.clone()), &[]).succeeds();
        (trials(&volume), model(&volume)["predictor"].clone())
    };
    let (before, predictor) = measured(&data);
    let mut unseen = 0;
    for changed in [2, 31, 58, 77, 104, 121, 133, 149] {
        let lines =
            data.lines().enumerate().map(|(number, line)| match (number == changed, line.rsplit_once(',')) {
                (true, Some((_, species))) => format!("9.9,9.9,9.9,9.9,{species}\n"),
                _ => format!("{line}\n"),
            });
        let (trials, other) = measured(&lines.collect::<String>());
        assert_eq!(trials == before, other == predictor, "line {changed}: a trial sees what the model sees");
        unseen += usize::from(trials == before);
    }
    assert!(unseen > 0, "a changed row is among those held out");
}

#[test]
fn halving_measures_the_better_trials_with_more_rows() {
    let rows: String =
        (0..600).map(|row| format!("{},{},{}\n", row % 40, row % 7, (row % 40) * 3 + row % 7)).collect();
    let volume = with_data(&format!("a,b,species\n{rows}"));
    let fields = json!({
        "algorithm": {"gradientBoosting": {"task": "regression", "maxIterations": 20}},
        "tune": {"search": "halving", "trials": 9, "folds": 3, "parameters": {
            "maxLeafNodes": {"min": 2, "max": 32}, "learningRate": {"min": 0.01, "max": 1, "log": true},
        }},
    });
    let report = volume.step(&train(fields), &[]).succeeds().report.clone();
    let rows: Vec<u64> = report.trials.iter().map(|trial| trial.rows).collect();
    assert_eq!(rows, [600, 600, 600, 200, 200, 200, 200, 200, 200]);
    let values: Vec<f64> = report.trials.iter().filter_map(|trial| trial.value).collect();
    assert!(values[0] >= values[1] && values[1] >= values[2], "{values:?}");
}

#[test]
fn a_search_that_cannot_be_done_is_refused_by_its_path() {
    for (tune, code, part) in [
        (
            json!({"parameters": {"depth": [1]}}),
            2,
            "tune.parameters.depth is not a parameter of logisticRegression",
        ),
        (json!({"parameters": {"alpha": [1, -1]}}), 2, "tune.parameters.alpha[1] is -1"),
        (
            json!({"parameters": {"alpha": [1]}, "folds": 60}),
            3,
            "tune.folds is 60, and class \"setosa\" with 50 rows",
        ),
        (
            json!({"parameters": {"classWeights": [{"rose": 2}, {"tulip": 2}]}}),
            3,
            "all 2 trials of tune failed; the first, classWeights",
        ),
    ] {
        let volume = with_data(&iris());
        let reason = if code == 2 { "WrongSpec" } else { "WrongData" };
        volume.step(&train(json!({"tune": tune})), &[]).fails(code, reason, &[part]);
        assert!(!published(&volume, "train").exists());
    }
}

#[test]
fn a_gate_beside_a_search_needs_rows_that_nothing_was_chosen_by() {
    let fields = |more: Value| {
        let mut fields = json!({"tune": {"parameters": {"alpha": [0.1, 1]}}});
        fields.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        fields
    };
    let gate = json!({"metric": "accuracy", "min": 0.5});
    let volume = with_data(&iris());
    for more in [json!({"gate": gate}), json!({"gate": gate, "crossValidation": {"folds": 3}})] {
        volume.step(&train(fields(more)), &[]).fails(2, "WrongSpec", &["a gate beside tune needs split"]);
    }
    let ended = volume.step(&train(fields(json!({"crossValidation": {"folds": 3}}))), &[]);
    assert!(ended.succeeds().message().contains("flatters them: set split"), "{}", ended.message());
}

#[test]
fn what_one_parameter_needs_of_another_may_be_searched_for() {
    let algorithm = json!({"logisticRegression": {"penalty": "elasticNet"}});
    let fields = json!({"algorithm": algorithm, "tune": {"parameters": {"l1Ratio": [0.1, 0.5]}}});
    let volume = with_data(&iris());
    assert_eq!(volume.step(&train(fields), &[]).succeeds().report.trials.len(), 2);
    // Without the search it is missing.
    let volume = with_data(&iris());
    volume.step(&train(json!({"algorithm": algorithm})), &[]).fails(2, "WrongSpec", &["l1Ratio"]);
}

#[test]
fn a_round_of_halving_whose_few_rows_lack_what_folds_need_decides_nothing() {
    let tune = json!({"search": "halving", "parameters": {"alpha": [100, 30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.001]}});
    // Two of sixty groups have a row of the rare class, and a third of the groups too few of them.
    let grouped = (0..240).map(|row| {
        let class = match (row / 4, row % 4) {
            (10 | 40, 0) => "rare",
            (group, row) => ["b", "a"][(group + row) % 2],
        };
        format!("g{},{},{class}\n", row / 4, row * 37 % 50)
    });
    let grouped = format!("g,x,species\n{}", grouped.collect::<String>());
    // One row of the rare class is among the oldest ones.
    let timed = (0..360).map(|row| {
        let is_rare = row == 3 || (row >= 100 && row % 8 == 0);
        format!("{row},{},{}\n", row % 7, if is_rare { "rare" } else { ["b", "a"][row % 2] })
    });
    let timed = format!("g,x,species\n{}", timed.collect::<String>());
    for (data, fields) in [
        (grouped, json!({"groupBy": "g", "features": ["x"], "tune": tune})),
        (
            timed,
            json!({"split": {"test": 0.2, "by": "time", "column": "g"}, "features": ["x"], "tune": tune}),
        ),
    ] {
        let volume = with_data(&data);
        volume.step(&train(fields.clone()), &[]).succeeds();
        let found = trials(&volume);
        assert!(found.len() == 10 && found.iter().all(|(_, value)| value.is_some()), "{fields}: {found:?}");
    }
}

#[test]
fn halving_keeps_enough_groups_for_its_folds() {
    // Nearly all rows are of one group.
    let row =
        |row: usize| format!("{},g{},{}\n", row % 17, if row < 8 { row / 2 } else { 9 }, ["a", "b"][row % 2]);
    let volume = with_data(&format!("x,customer,species\n{}", (0..300).map(row).collect::<String>()));
    let fields = json!({
        "groupBy": "customer",
        "tune": {"search": "halving", "trials": 9, "parameters": {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}},
    });
    assert_eq!(volume.step(&train(fields), &[]).succeeds().report.trials.len(), 9);
}

#[test]
fn a_terminal_shows_the_trials() {
    let volume = with_data(&iris());
    let arguments =
        ["train", "--data", "data.csv", "--target", "species", "--out", "model", "--tune", "alpha=0.1,1,10"];
    let output = worker(&arguments).current_dir(volume.path()).output().expect("the worker runs");
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stderr}");
    for part in ["trials, best first", "alpha 0.1", "alpha 10", "the best of 3 trials over 5 folds"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

/// A search whose trials pods share, as one of its pods sees it.
fn shared(pods: Option<u32>) -> Value {
    let tune = json!({"parameters": {"alpha": [0.1, 1, 10], "penalty": ["l2", "none"]}, "folds": 3});
    let mut step = train(json!({"split": {"test": 0.2, "seed": 3}, "tune": tune}));
    if let Some(pods) = pods {
        step["action"]["train"]["trialPods"] = json!(pods);
    }
    step
}

/// The names of what is kept of a search, and the folder.
fn kept(volume: &Volume) -> Vec<std::path::PathBuf> {
    let steps = volume.path().join("ns/pipe/train");
    let folder = std::fs::read_dir(steps).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut folders = folder.filter(|path| path.to_string_lossy().contains("/.kept-"));
    let Some(folder) = folders.next() else { return Vec::new() };
    let mut names: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    names
}

#[test]
fn pods_share_the_trials_and_the_one_that_makes_the_model_finds_them_all() {
    let alone = with_data(&iris());
    alone.step(&shared(None), &[]).succeeds();
    let volume = with_data(&iris());
    for index in ["0", "1"] {
        let ended = volume.step_with(&shared(Some(2)), &[], &[("JOB_COMPLETION_INDEX", index)]);
        let message = ended.succeeds().report.message.clone().expect("a message");
        assert!(message.ends_with("of 2 measured 3 trials"), "{message}");
        assert_eq!(ended.report.revision, None);
    }
    // In 3 folds, those of 6 trials whose parameters go together: alpha does nothing with penalty none.
    assert_eq!(kept(&volume).len(), 4 * 3);
    let ended = volume.step(&shared(None), &[]);
    assert_eq!(trials(&volume), trials(&alone));
    assert_eq!(model(&volume), model(&alone));
    assert_eq!(ended.succeeds().report.trials, alone.step(&shared(None), &[]).report.trials);
    assert_eq!(kept(&volume), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_search_that_was_stopped_continues_with_what_it_has_measured() {
    let volume = with_data(&iris());
    volume.step_with(&shared(Some(2)), &[], &[("JOB_COMPLETION_INDEX", "0")]).succeeds();
    // What is found there is what counts: a value that no measurement would give.
    for path in kept(&volume).iter().filter(|path| path.to_string_lossy().ends_with("trial-4")) {
        let text = std::fs::read_to_string(path).expect("a value");
        let of = text.split_once(' ').expect("what it is of").0;
        std::fs::write(path, format!("{of} value 1.5")).expect("written");
    }
    volume.step(&shared(None), &[]).succeeds();
    assert_eq!(trials(&volume)[0], (json!({"alpha": 10, "penalty": "l2"}), Some(1.5)));
}

#[test]
fn what_was_measured_of_other_rows_is_measured_again() {
    let volume = with_data(&iris());
    volume.step_with(&shared(Some(2)), &[], &[("JOB_COMPLETION_INDEX", "0")]).succeeds();
    for path in kept(&volume) {
        std::fs::write(path, "0000000000000000 value 1.5").expect("written");
    }
    volume.step(&shared(None), &[]).succeeds();
    assert!(trials(&volume).iter().all(|(_, value)| value.is_none_or(|value| value <= 1.0)));
}

#[test]
fn a_pod_that_shares_trials_needs_its_number() {
    let volume = with_data(&iris());
    volume.step(&shared(Some(2)), &[]).fails(2, "WrongSpec", &["JOB_COMPLETION_INDEX"]);
    let ended = volume.step_with(&shared(Some(2)), &[], &[("JOB_COMPLETION_INDEX", "2")]);
    ended.fails(2, "WrongSpec", &["the pod's index is 2, and 2 pods share the trials"]);
}

#[test]
fn pods_cannot_share_the_rounds_of_halving() {
    let tune = json!({"search": "halving", "parameters": {"alpha": [0.1, 1, 10, 100]}});
    let step = train(json!({"split": {"test": 0.2}, "tune": tune, "trialPods": 2}));
    let ended = with_data(&iris()).step_with(&step, &[], &[("JOB_COMPLETION_INDEX", "0")]);
    ended.fails(2, "WrongSpec", &["trialPods cannot be beside search: halving"]);
}
