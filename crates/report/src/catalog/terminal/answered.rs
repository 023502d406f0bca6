//! How a service answered: a line for each cell that put one to the test.

use lockproof_model::{AnswerCount, CellReport};

use super::hanging;
use crate::style::{Ink, Style};

/// A line for each cell with a service.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let told = cells.iter().filter(|cell| !cell.answers.is_empty());
    told.flat_map(|cell| {
        let answers = told_of(&cell.answers);
        hanging("·", Ink::Faint, &format!("{} answered {answers}", cell.strategy), style)
    })
    .collect()
}

/// `acquire 200 × 4; book 201 × 1, 409 × 19`
fn told_of(answers: &[AnswerCount]) -> String {
    let requests = answers.chunk_by(|one, next| one.request == next.request);
    let of_request = |answers: &[AnswerCount]| {
        let counts: Vec<_> = answers.iter().map(counted).collect();
        format!("{} {}", answers[0].request, counts.join(", "))
    };
    requests.map(of_request).collect::<Vec<_>>().join("; ")
}

fn counted(answer: &AnswerCount) -> String {
    let status = answer.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
    format!("{status} × {}", answer.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_told_with_its_statuses() {
        let answer = |request: &str, status, count| AnswerCount {
            request: request.to_owned(),
            status,
            count,
        };
        let answers = [
            answer("acquire", Some(200), 4),
            answer("book", None, 1),
            answer("book", Some(409), 3),
        ];
        assert_eq!(told_of(&answers), "acquire 200 × 4; book nothing × 1, 409 × 3");
    }
}
