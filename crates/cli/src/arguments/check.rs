//! What can be said to `lockproof check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use lockproof_histories::Model;

use super::parse_limit;

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// A history: of a run of ours, in Jepsen's EDN, or one JSON object a line
    pub(crate) file: PathBuf,

    /// What the lock is meant to be
    #[arg(long, env = "LOCKPROOF_MODEL", value_enum, default_value_t = ModelName::OwnerMutex)]
    pub(crate) model: ModelName,

    /// In which form the history is [default: what its name ends with says: .zst, .edn, .jsonl or .ndjson]
    #[arg(long, env = "LOCKPROOF_INPUT", value_enum)]
    pub(crate) input: Option<Input>,

    /// Give up the search, and say that nobody knows, after this time
    #[arg(long, env = "LOCKPROOF_TIME", value_parser = parse_limit, default_value = "60s")]
    pub(crate) time: Duration,

    /// How to show the judgement on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) format: CheckFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelName {
    /// Held or free; anybody may give it back
    Mutex,
    /// Only its owner may give it back
    OwnerMutex,
    /// Its owner may take it again, and has to give it back as often
    ReentrantMutex,
    /// As owner-mutex, and every acquire is answered a larger fencing token than those before
    FencedMutex,
}

impl From<ModelName> for Model {
    fn from(name: ModelName) -> Self {
        match name {
            ModelName::Mutex => Self::Mutex,
            ModelName::OwnerMutex => Self::OwnerMutex,
            ModelName::ReentrantMutex => Self::ReentrantMutex,
            ModelName::FencedMutex => Self::FencedMutex,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Input {
    /// Of a report directory: histories/*.ndjson.zst
    Ours,
    /// Jepsen's history.edn
    Edn,
    /// One JSON object a line
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    Text,
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_can_be_named() {
        let names = ModelName::value_variants().iter();
        let models: Vec<Model> = names.clone().map(|name| Model::from(*name)).collect();
        assert_eq!(models, Model::ALL);
        let said = names.filter_map(ModelName::to_possible_value);
        let said: Vec<_> = said.map(|value| value.get_name().to_owned()).collect();
        assert_eq!(said, Model::ALL.map(Model::name));
    }
}
