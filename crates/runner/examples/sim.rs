fn main() {
    let path = std::env::args().nth(1).expect("path");
    let n: u64 = std::env::args().nth(2).expect("n").parse().expect("n");
    let scenario = std::sync::Arc::new(
        lockproof_scenario::load(std::path::Path::new(&path)).expect("scenario"),
    );
    let checkers: Vec<_> = lockproof_checkers::ENTRIES.iter().map(|e| e.checker).collect();
    for plan in lockproof_runner::cells_of(&[scenario], 0x5eed) {
        let t = std::time::Instant::now();
        let (mut bad, mut err, mut ops, mut virt, mut cut) =
            (0, 0, 0, std::time::Duration::ZERO, 0);
        for i in 0..n {
            let mut plan = plan.clone();
            plan.seed = lockproof_env::Random::new(plan.seed).fork(&i.to_string()).bits();
            match lockproof_runner::simulate(&plan) {
                Ok(s) => {
                    ops += s.history.operations.len();
                    virt += s.took;
                    cut += usize::from(s.cut_short.is_some());
                    let f = s.judge(&checkers);
                    bad += usize::from(f[0].verdict == lockproof_model::Verdict::Violated);
                    if i == 0 {
                        println!(
                            "{} {:?} bookings {}",
                            plan.cell.strategy,
                            f.iter().map(|f| f.verdict).collect::<Vec<_>>(),
                            s.table.bookings.len()
                        );
                    }
                }
                Err(e) => {
                    err += 1;
                    println!("{e}");
                }
            }
        }
        let d = t.elapsed();
        println!(
            "{:28} {n} schedules in {d:?} = {:.0}/s; bad {bad} err {err} cut {cut} ops/schedule {} virt {virt:?}",
            plan.cell.strategy.to_string(),
            n as f64 / d.as_secs_f64(),
            ops / n as usize
        );
    }
}
