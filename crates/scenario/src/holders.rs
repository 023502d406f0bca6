//! `holders` and `holders-as` of a workload: how many, and as what.

use toml::Spanned;

use crate::reader::Reader;
use crate::suggest::hint;

/// What a holder is in the live world. In the simulated one this makes no difference: there each is stopped and killed by
/// itself anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldersAs {
    /// Tasks of this program. They cost little, and a pause is that they are not polled.
    #[default]
    Tasks,
    /// Processes of the operating system: a pause is SIGSTOP, a death SIGKILL.
    Processes,
}

impl HoldersAs {
    const ALL: [Self; 2] = [Self::Tasks, Self::Processes];

    /// As scenarios spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Processes => "processes",
        }
    }

    /// The most of them that a load may have.
    const fn most(self) -> u32 {
        match self {
            Self::Tasks => 10_000,
            // Each has memory, connections and threads of its own; a machine has so many processes and not more.
            Self::Processes => 256,
        }
    }
}

const UNLESS_SAID: u32 = 8;

/// How many holders there are, and as what. `holders = "processes"` says the latter alone.
pub(crate) fn read(workload: &mut Reader<'_, '_>) -> (u32, HoldersAs) {
    let in_place = if workload.is_text("holders") { kind(workload, "holders") } else { None };
    let beside = kind(workload, "holders-as");
    if let (Some(one), Some(other)) = (&in_place, &beside)
        && one.get_ref() != other.get_ref()
    {
        let what =
            format!("holders are {} or {}, not both", one.get_ref().word(), other.get_ref().word());
        workload.source().problem(&other.span(), what);
    }
    let said = beside.or(in_place);
    let kind = said.as_ref().map(|said| *said.get_ref()).unwrap_or_default();
    let (span, count) =
        (workload.value_span("holders"), workload.number("holders", 1..=HoldersAs::Tasks.most()));
    if let Some(count) = count.filter(|&count| count > kind.most()) {
        let what =
            format!("{count} holders are too many for {}: {} at most", kind.word(), kind.most());
        workload.problem_at(span.as_ref(), what);
    }
    (count.unwrap_or(UNLESS_SAID), kind)
}

fn kind(workload: &mut Reader<'_, '_>, field: &'static str) -> Option<Spanned<HoldersAs>> {
    let text = workload.text(field)?;
    let word = text.get_ref().as_str();
    let kind = HoldersAs::ALL.into_iter().find(|kind| kind.word() == word);
    if kind.is_none() {
        let hint = hint(word, &HoldersAs::ALL.map(HoldersAs::word));
        let what = match field {
            "holders" => {
                format!("`holders` is how many or what they are, and `{word}` is neither{hint}")
            }
            _ => format!("holders are no `{word}`{hint}"),
        };
        workload.source().problem(&text.span(), what);
    }
    Some(Spanned::new(text.span(), kind?))
}
