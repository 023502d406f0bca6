//! `[servers]`: where somebody else's servers are, and what a scenario may not do to them.

use lockproof_faults::{FaultPlan, Reach};
use lockproof_rig::ExternalServers;

use crate::plan::Scenario;
use crate::reader::Reader;
use crate::source::Problem;

/// What `--provider external` connects to, unless flags or the environment say otherwise.
pub(crate) fn read(top: &mut Reader<'_, '_>) -> ExternalServers {
    let mut servers = ExternalServers::default();
    let Some(mut reader) = top.table("servers") else { return servers };
    for text in reader.texts("redis") {
        match text.get_ref().parse() {
            Ok(url) => {
                servers.redis.push(url);
                if let Some(twice) = servers.twice() {
                    reader.source().problem(&text.span(), twice);
                    servers.redis.pop();
                }
            }
            Err(error) => reader.source().problem(&text.span(), error.to_string()),
        }
    }
    if let Some(text) = reader.text("database") {
        match text.get_ref().parse() {
            Ok(url) => servers.database = Some(url),
            Err(error) => reader.source().problem(&text.span(), error.to_string()),
        }
    }
    reader.finish();
    servers
}

impl Scenario {
    /// What keeps the scenario from being run on `servers`, which others use too; with `destructive`, what harms
    /// those others does not.
    #[must_use]
    pub fn problems_on(&self, servers: &ExternalServers, destructive: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(lacking) = self.lacking(servers) {
            problems.push(self.problem((0, 0), lacking));
        }
        for (plan, &place) in self.faults.iter().zip(&self.fault_places) {
            if let Some(harm) = plan.fault.harms_others().filter(|_| !destructive) {
                let what = format!(
                    "{} {harm}, and others may use these servers; if none does, say so: --allow-destructive",
                    plan.kind
                );
                problems.push(self.problem(place, what));
            }
            if let Some(why) = self.never_bites(plan, servers) {
                let what = format!("{} would never bite: {why}", plan.kind);
                problems.push(self.problem(place, what));
            }
        }
        problems
    }

    fn lacking(&self, servers: &ExternalServers) -> Option<String> {
        let needs = |cell: &crate::Cell| self.redis_servers(&cell.strategy);
        let neediest = self.cells.iter().max_by_key(|cell| needs(cell))?;
        let (needed, named) = (needs(neediest), servers.redis.len());
        let noun = if needed == 1 { "server" } else { "servers" };
        let verb = if named == 1 { "is" } else { "are" };
        (needed > named).then(|| {
            format!(
                "{} needs {needed} Redis {noun}, and {named} {verb} named; name {needed}: --redis-url URL,…, LOCKPROOF_REDIS_URLS, or [servers] in the scenario",
                neediest.strategy
            )
        })
    }

    fn never_bites(&self, plan: &FaultPlan, servers: &ExternalServers) -> Option<String> {
        let Reach::Links(selectors) = plan.fault.reach() else { return None };
        let strategies = self.cells.iter().map(|cell| self.redis_servers(&cell.strategy));
        let most = strategies.max().unwrap_or(0);
        let mut links = selectors.iter().flat_map(|selector| selector.resolve(most));
        links.find_map(|link| {
            let reads = plan.fault.tells_holders_apart();
            let hidden = || reads.then(|| servers.unreadable(link)).flatten();
            servers.undisturbable(link).or_else(hidden)
        })
    }

    fn problem(&self, (line, column): (usize, usize), what: String) -> Problem {
        Problem { path: self.path.clone(), line, column, what }
    }
}
