//! `lockproof check`: a stored history, judged by a model of the lock that it is of.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use lockproof_env::live::stopwatch;
use lockproof_histories::{
    Judgement, Limits, LockHistory, Verdict, read_edn, read_json_lines, search,
};
use lockproof_report::{read_history, read_unfinished_history};

use crate::arguments::{CheckArguments, CheckFormat, Input};
use crate::exit::{Exit, Failure};
use crate::terminal;

/// What a search may take of any machine's memory, in bytes.
const MEMORY: usize = 512 << 20;

pub(crate) fn run(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let input = match arguments.input {
        Some(input) => input,
        None => input_by_name(&arguments.file)?,
    };
    let history = read(&arguments.file, input)?;
    let model = arguments.model.into();
    let elapsed = stopwatch();
    let limits = Limits { memory: MEMORY, is_over: &|| elapsed() > arguments.time };
    let judgement = Judgement::new(&history, model, &search(&history, model, limits));
    terminal::answer(&match arguments.format {
        CheckFormat::Text => judgement.to_string(),
        CheckFormat::Json => serde_json::to_string_pretty(&judgement)
            .map_err(|error| Failure::infrastructure(format!("cannot write: {error}")))?,
    })?;
    Ok(match judgement.verdict {
        Verdict::Valid => Exit::Held,
        Verdict::Violated => Exit::Violated,
        Verdict::Unknown => Exit::Inconclusive,
    })
}

fn input_by_name(file: &Path) -> Result<Input, Failure> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("zst") => Ok(Input::Ours),
        Some("edn") => Ok(Input::Edn),
        Some("jsonl" | "ndjson") => Ok(Input::Jsonl),
        _ => Err(Failure::usage(format!(
            "{}: its name does not say what is in it; use --input ours, edn or jsonl",
            file.display()
        ))),
    }
}

fn read(file: &Path, input: Input) -> Result<LockHistory, Failure> {
    let read = match input {
        Input::Ours => return ours(file),
        Input::Edn => read_edn,
        Input::Jsonl => read_json_lines,
    };
    let open = File::open(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    read(BufReader::new(open))
        .map_err(|error| Failure::usage(format!("{}:{error}", file.display())))
}

/// A run's whole history, or what a run that was killed left of one.
fn ours(file: &Path) -> Result<LockHistory, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let read = match name.ends_with(".unfinished.ndjson.zst") {
        false => read_history(file).map(|stored| Some(stored.history)),
        true => read_unfinished_history(file).map(|stored| stored.map(|stored| stored.history)),
    };
    let history = read.map_err(|error| Failure::usage(error.to_string()))?;
    let locks = LockHistory::of(&history.unwrap_or_default());
    if locks.operations.is_empty() {
        return Err(Failure::usage(format!(
            "{}: no lock was granted in it, so that there is nothing to judge",
            file.display()
        )));
    }
    Ok(locks)
}
