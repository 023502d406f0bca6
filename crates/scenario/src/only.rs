//! In which world alone a scenario runs, and why.

use lockproof_model::World;

use crate::reader::Reader;

/// A scenario of one world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// Which.
    pub world: World,
    /// Why not in the other, as a phrase.
    pub because: String,
}

impl Only {
    /// Of a scenario that puts a service to the test.
    pub(crate) fn service() -> Self {
        Self { world: World::Live, because: "it puts a service to the test".to_owned() }
    }

    /// The world as scenarios spell it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.world {
            World::Live => "live",
            World::Sim => "sim",
        }
    }
}

/// `only` and `because`, which go together: a reader must not have to guess why.
pub(crate) fn read(top: &mut Reader<'_, '_>) -> Option<Only> {
    let because_span = top.key_span("because");
    let (only, because) = (top.text("only"), top.text("because"));
    let Some(only) = only else {
        if because_span.is_some() {
            let what = "`because` goes with `only`; write only = \"sim\" or only = \"live\"";
            top.problem_at(because_span.as_ref(), what);
        }
        return None;
    };
    let world = match only.get_ref().as_str() {
        "sim" => World::Sim,
        "live" => World::Live,
        other => {
            let what = format!("`{other}` is no world; write sim or live");
            top.source().problem(&only.span(), what);
            return None;
        }
    };
    match because {
        Some(because) if because.get_ref().trim().is_empty() => {
            top.source().problem(&because.span(), "`because` says why, and does not");
            None
        }
        Some(because) => Some(Only { world, because: because.into_inner() }),
        // What is there and is no text has been told.
        None if because_span.is_some() => None,
        None => {
            let what = "`only` needs its reason beside it: because = \"…\"";
            top.source().problem(&only.span(), what);
            None
        }
    }
}
