//! Reading the bookings back: the service's own table, or its interface, is the judge.

use serde_json::Value;

use crate::courier::HttpAnswer;
use crate::meaning::Meaning;
use crate::pointer::Pointer;
use crate::request::{Expected, RequestPlan};
use crate::template::Template;

/// Where the bookings of one slot are found.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each scenario")]
pub enum ReadBack {
    /// By a request for each slot.
    Endpoint {
        /// What is asked.
        request: RequestPlan,
        /// Where in the answer they are.
        rows: RowsAt,
    },
    /// By a statement for each slot, which gives a row for each confirmed booking: its id, and in a second column, where
    /// there is one, the text that has the attempt's `{reference}`.
    Sql {
        /// `postgres://…` or `sqlite:PATH`; `{database_url}` for the database that the run gave to the service.
        url: Template,
        /// The statement.
        query: Template,
        /// A statement whose one number must equal the number of rows: the counter that the service keeps beside them.
        counter: Option<Template>,
    },
}

/// Where in an answer the bookings are.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsAt {
    /// The array of them, or an object whose members they are.
    pub rows: Pointer,
    /// In each, what must be there for it to count: its state, above all.
    pub only: Expected,
    /// In each, its id.
    pub id: Option<Pointer>,
    /// In each, the text that has the attempt's `{reference}`.
    pub reference: Option<Pointer>,
    /// The counter that the service keeps beside them, which must equal their number.
    pub counter: Option<Pointer>,
}

/// A confirmed booking, as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: Option<String>,
    /// The text that has the attempt's reference.
    pub reference: Option<String>,
}

/// The answer is none that bookings could be read from; a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl RowsAt {
    /// The bookings in `answer`, and the counter where one is asked for.
    ///
    /// # Errors
    /// They are not where they should be.
    pub fn read(
        &self,
        request: &RequestPlan,
        answer: &HttpAnswer,
    ) -> Result<(Vec<Found>, Option<i64>), Unreadable> {
        if request.meaning(answer) != Meaning::Ok {
            let body: String = String::from_utf8_lossy(answer.body()).chars().take(200).collect();
            let status = answer.status;
            return Err(Unreadable(format!("it answered with status {status}: {body}")));
        }
        let document = answer.json();
        let rows: Vec<&Value> = match self.rows.find(document) {
            Some(Value::Array(rows)) => rows.iter().collect(),
            Some(Value::Object(rows)) => rows.values().collect(),
            _ => {
                let text = self.rows.text();
                return Err(Unreadable(format!("there is no array and no object at `{text}`")));
            }
        };
        let counts = |row: &&Value| {
            self.only.iter().all(|(pointer, value)| pointer.find(row) == Some(value))
        };
        let text = |pointer: &Option<Pointer>, row: &Value| pointer.as_ref()?.text_in(row);
        let found =
            |row: &Value| Found { id: text(&self.id, row), reference: text(&self.reference, row) };
        let counter = match &self.counter {
            None => None,
            Some(pointer) => {
                let number = pointer.find(document).and_then(Value::as_i64);
                let none = || Unreadable(format!("there is no number at `{}`", pointer.text()));
                Some(number.ok_or_else(none)?)
            }
        };
        Ok((rows.into_iter().filter(counts).map(found).collect(), counter))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::meaning::Statuses;

    fn request() -> RequestPlan {
        RequestPlan {
            method: "GET",
            path: Template::new("/b"),
            headers: Vec::new(),
            body: None,
            statuses: Statuses::default(),
            accept: Vec::new(),
            capture: Vec::new(),
            again: None,
        }
    }

    fn rows_at() -> RowsAt {
        let pointer = |text: &str| text.parse::<Pointer>().unwrap();
        RowsAt {
            rows: pointer("/bookings"),
            only: vec![(pointer("/status"), json!("confirmed"))],
            id: Some(pointer("/id")),
            reference: Some(pointer("/customer")),
            counter: Some(pointer("/booked")),
        }
    }

    fn read(status: u16, body: &Value) -> Result<(Vec<Found>, Option<i64>), Unreadable> {
        rows_at().read(&request(), &HttpAnswer::new(status, body.to_string().into_bytes()))
    }

    #[test]
    fn only_confirmed_bookings_are_found() {
        let body = json!({ "booked": 1, "bookings": [
            { "id": 7, "customer": "lockproof-1", "status": "confirmed" },
            { "id": 8, "customer": "lockproof-2", "status": "cancelled" },
        ]});
        let (found, counter) = read(200, &body).unwrap();
        let seven = Found { id: Some("7".to_owned()), reference: Some("lockproof-1".to_owned()) };
        assert_eq!((found, counter), (vec![seven], Some(1)));
    }

    #[test]
    fn an_answer_without_them_is_no_empty_table() {
        let gone = read(404, &json!({ "bookings": [] })).unwrap_err().to_string();
        assert!(gone.contains("status 404"), "{gone}");
        let other = read(200, &json!({ "rows": [] })).unwrap_err().to_string();
        assert!(other.contains("no array and no object at `/bookings`"), "{other}");
        let uncounted = read(200, &json!({ "bookings": [] })).unwrap_err().to_string();
        assert!(uncounted.contains("no number at `/booked`"), "{uncounted}");
    }
}
