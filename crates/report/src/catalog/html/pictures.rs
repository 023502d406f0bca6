//! Violations as drawings, as many as there is room for.

use std::fmt::Write;

use lockproof_model::{CellReport, RunReport, Status};

use super::data::{Drawn, Known};
use crate::drawing;
use crate::space_time::{self, Kind, Schedule};

/// Of a cell with a violation.
struct Sketch<'a> {
    cell: usize,
    /// Its place in that cell: the first explains, the others repeat it.
    repeats: usize,
    is_expected: bool,
    schedule: Schedule<'a>,
    steps: Vec<(String, String, String)>,
}

/// Writes templates of at most `room` bytes, words included, and tells `known` of them: what was not expected comes
/// first, then the first violation of each cell.
pub(super) fn draw(report: &RunReport, known: &mut Known<'_>, room: usize) -> String {
    let mut sketches: Vec<_> =
        report.cells.iter().enumerate().flat_map(|(index, cell)| sketches(index, cell)).collect();
    sketches.sort_by_key(|sketch| (sketch.is_expected, sketch.repeats, sketch.cell));
    let (mut templates, mut taken) = (String::new(), 0);
    for sketch in sketches {
        let drawing = drawing::within_page(sketch.schedule);
        let place = known.cells[sketch.cell].drawings.len();
        let drawn = Drawn {
            title: sketch.schedule.sentence.to_owned(),
            template: format!("drawing-{}-{place}", sketch.cell),
            steps: sketch.steps,
        };
        let template = format!("<template id=\"{}\">{drawing}</template>", drawn.template);
        let needed = template.len() + super::in_script(&drawn).len() + 2;
        if taken + needed > room {
            known.drawings_left_out += 1;
            continue;
        }
        taken += needed;
        // Writing to a String cannot fail.
        let _ = writeln!(templates, "{template}");
        known.cells[sketch.cell].drawings.push(drawn);
    }
    templates
}

fn sketches(index: usize, cell: &CellReport) -> Vec<Sketch<'_>> {
    let is_expected = cell.judgement.status == Status::Met;
    let found = cell.exploration.as_ref().and_then(|found| found.violation.as_ref());
    if let Some(violation) = found {
        let schedule = Schedule::from(violation);
        return vec![Sketch {
            cell: index,
            repeats: 0,
            is_expected,
            schedule,
            steps: steps(schedule),
        }];
    }
    let scenes = cell.pictures.scenes.iter().enumerate();
    scenes
        .map(|(place, scene)| {
            let told = cell.stories.iter().find(|story| story.slot == scene.slot);
            let lines = told.map(|story| story.lines.as_slice()).unwrap_or_default();
            let line = |line: &lockproof_model::StoryLine| {
                (line.at.to_string(), line.who.clone(), line.what.clone())
            };
            let schedule = Schedule::from(scene);
            let words =
                if lines.is_empty() { steps(schedule) } else { lines.iter().map(line).collect() };
            Sketch { cell: index, repeats: place, is_expected, schedule, steps: words }
        })
        .collect()
}

/// All that happened but that something was asked for.
fn steps(schedule: Schedule<'_>) -> Vec<(String, String, String)> {
    let events = space_time::events(schedule);
    let told = events.iter().filter(|event| event.kind != Kind::Invoked);
    told.map(|event| {
        let who = event.holder.map_or_else(|| "everybody".to_owned(), |holder| holder.to_string());
        let mark = if space_time::is_last_commit(event, &events) { " ←" } else { "" };
        let seconds = event.at.since_start().as_secs_f64();
        (format!("{seconds:.6}"), who, format!("{}{mark}", event.what))
    })
    .collect()
}
