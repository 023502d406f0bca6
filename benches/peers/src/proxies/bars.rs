//! What samples came to, and the bars that ratios are held against.

use std::collections::BTreeMap;

use super::arguments::Role;
use super::benchmark::Load;
use super::contestants::Contestants;
use crate::say;
use lockproof_benches::Spread;

/// Of what the copying loop passes on, ours has to, …
const THROUGHPUT: f64 = 0.9;
/// … and of what ours passes on without rules, with them.
const THROUGHPUT_WITH_RULES: f64 = 0.8;
/// So many times what the copying loop adds to a round trip, at most.
const ADDED: f64 = 1.5;
const P999_MS: f64 = 10.0;
const RSS_MB: f64 = 20.0;

/// One sample of one contestant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample {
    Plain(Load),
    Pipelined(Load),
    Alone { p50_us: f64 },
}

/// The samples of all, turn by turn.
#[derive(Debug, Default)]
pub(super) struct Results(BTreeMap<Option<Role>, Figures>);

#[derive(Debug, Default)]
struct Figures {
    plain: Vec<f64>,
    pipelined: Vec<f64>,
    p999_ms: Vec<f64>,
    p50_us: Vec<f64>,
}

impl Results {
    pub(super) fn add(&mut self, who: Option<Role>, sample: Sample) {
        let figures = self.0.entry(who).or_default();
        match sample {
            Sample::Plain(load) => {
                figures.plain.push(load.requests_per_second);
                figures.p999_ms.push(load.p999_ms);
            }
            Sample::Pipelined(load) => {
                figures.pipelined.push(load.requests_per_second);
                figures.p999_ms.push(load.p999_ms);
            }
            Sample::Alone { p50_us } => figures.p50_us.push(p50_us),
        }
    }

    pub(super) fn show(&self) {
        let columns = ["-P 1 req/s", "-P 16 req/s", "p99.9 ms", "p50 µs"];
        let columns = columns.map(|column| format!("{column:>14}"));
        say(&format!("\n{:<26}{}", "50 connections; one", columns.concat()));
        for (who, figures) in &self.0 {
            let name = match who {
                None => "nothing in between",
                Some(Role::Copy) => "copying loop",
                Some(Role::Proxy) => "lockproof",
                Some(Role::Rules) => "lockproof with a rule",
            };
            let median = |numbers: &[f64]| Spread::of(numbers.to_vec()).median;
            let (plain, pipelined) = (median(&figures.plain), median(&figures.pipelined));
            let (tail, p50) = (median(&figures.p999_ms), median(&figures.p50_us));
            say(&format!("{name:<26}{plain:>14.0}{pipelined:>14.0}{tail:>14.2}{p50:>14.1}"));
        }
    }

    fn of(&self, who: Option<Role>) -> &Figures {
        &self.0[&who]
    }

    /// The ratio within each turn.
    fn ratio(&self, ours: Role, theirs: Role, figure: fn(&Figures) -> &[f64]) -> Spread {
        let pairs = figure(self.of(Some(ours))).iter().zip(figure(self.of(Some(theirs))));
        Spread::of(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }

    /// The ratio of what two add to a round trip. Their differences are small beside the noise of a turn, so it is that
    /// of the medians.
    fn added(&self, ours: Role, theirs: Role) -> f64 {
        let median = |who| Spread::of(self.of(who).p50_us.clone()).median;
        let direct = median(None);
        (median(Some(ours)) - direct) / (median(Some(theirs)) - direct)
    }
}

/// Says which bars hold; how many do not.
pub(super) fn missed(results: &Results, contestants: &Contestants) -> usize {
    let plain: fn(&Figures) -> &[f64] = |figures| &figures.plain;
    let pipelined: fn(&Figures) -> &[f64] = |figures| &figures.pipelined;
    let mut missed = 0;
    let mut judge = |what: &str, holds: bool, shown: &str| {
        say(&format!("  {}: {what}: {shown}", if holds { "pass" } else { "MISS" }));
        missed += usize::from(!holds);
    };
    for (load, figure) in [("-P 1", plain), ("-P 16", pipelined)] {
        for (ours, theirs, least) in [
            (Role::Proxy, Role::Copy, THROUGHPUT),
            (Role::Rules, Role::Proxy, THROUGHPUT_WITH_RULES),
        ] {
            let ratio = results.ratio(ours, theirs, figure);
            let what = format!("requests/s {load} of {ours:?}, at least {least} × {theirs:?}");
            judge(&what, ratio.median >= least, &ratio.to_string());
        }
    }
    let added = results.added(Role::Proxy, Role::Copy);
    judge(
        &format!("added p50, at most {ADDED} × the copying loop's"),
        added <= ADDED,
        &format!("{added:.2}"),
    );
    for role in [Role::Proxy, Role::Rules] {
        let tail = Spread::of(results.of(Some(role)).p999_ms.clone());
        let what = format!("p99.9 of {role:?} under load, in ms, less than {P999_MS}");
        judge(&what, tail.median < P999_MS, &tail.to_string());
        if let Some(rss) = contestants.rss_mb(role) {
            let what = format!("peak memory of {role:?} in MB, less than {RSS_MB}");
            judge(&what, rss < RSS_MB, &format!("{rss:.1}"));
        }
    }
    missed
}
