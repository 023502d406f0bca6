//! Where the servers of a bench may come from.

use lockproof_rig::live::probes;

use crate::Servers;

/// A provider, and what this machine must have for it.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// What its cases are called after.
    pub name: &'static str,
    /// As `--provider` spells it.
    pub provider: &'static str,
    /// Programs without which there is no such source.
    pub programs: &'static [&'static str],
}

impl Source {
    /// Its servers, none of them started; `None`, and a line on stderr, where this machine lacks a program.
    ///
    /// # Panics
    /// When no provider is spelled so.
    #[must_use]
    pub fn servers(&self) -> Option<Servers> {
        let mut probes = probes().into_iter();
        let missing =
            probes.find(|probe| self.programs.contains(&probe.what) && probe.found.is_none());
        if let Some(probe) = missing {
            say_skipped(self.name, probe.what, &probe.remedy);
            return None;
        }
        Some(Servers::of(self.provider))
    }
}

#[expect(clippy::print_stderr, reason = "nobody should miss in silence what was not measured")]
fn say_skipped(name: &str, program: &str, remedy: &str) {
    eprintln!("skipped: {name}, since {program} was not found ({remedy})");
}
