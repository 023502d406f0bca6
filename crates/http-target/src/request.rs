//! One request, and what its answers mean.

use std::time::Duration;

use serde_json::Value;

use crate::courier::{HttpAnswer, HttpRequest};
use crate::meaning::{Meaning, Statuses};
use crate::pointer::Pointer;
use crate::template::{Filling, Template, TemplateError, Values};

/// The methods that a request may have.
pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What an answer must hold: a place and the value there.
pub type Expected = Vec<(Pointer, Value)>;

/// A request as a scenario writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestPlan {
    /// One of [`METHODS`].
    pub method: &'static str,
    /// The path, with a query where it has one.
    pub path: Template,
    /// Beside those of the target.
    pub headers: Vec<(String, Template)>,
    /// The body, of JSON unless a header says otherwise.
    pub body: Option<Template>,
    /// Which status means what.
    pub statuses: Statuses,
    /// What an answer of a good status must hold, or it is a clear no.
    pub accept: Expected,
    /// What is kept of a good answer, by name, for the requests that follow.
    pub capture: Vec<(String, Pointer)>,
    /// Which refusals are no refusals yet.
    pub again: Option<Again>,
}

/// The same request once more, after an answer that asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Again {
    /// What such an answer holds, whatever its status.
    pub when: Expected,
    /// Requests in all.
    pub tries: u32,
    /// Between two of them.
    pub delay: Duration,
}

/// When the lock is given back.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// How.
    pub request: RequestPlan,
    /// Whether the service does so by itself when it books.
    pub unless_booked: bool,
}

impl RequestPlan {
    /// Every template of it.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let headers = self.headers.iter().map(|(_, value)| value);
        [&self.path].into_iter().chain(headers).chain(&self.body)
    }

    /// Whether everything that it tells the service is known.
    #[must_use]
    pub fn can_be_made(&self, values: &Values) -> bool {
        self.templates().all(|template| template.can_be_filled(values))
    }

    /// The request for `values`, under the headers of its target.
    ///
    /// # Errors
    /// A place has no value, such as one that a former answer should have had.
    pub fn make(
        &self,
        common: &[(String, Template)],
        values: &Values,
    ) -> Result<HttpRequest, TemplateError> {
        let mut headers = Vec::with_capacity(common.len() + self.headers.len());
        for (name, value) in common.iter().chain(&self.headers) {
            // The request's own is the last word.
            headers.retain(|(known, _): &(String, String)| !known.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.fill(values, Filling::Plain)?));
        }
        let body = self.body.as_ref().map(|body| {
            let json = body.text().trim_start().starts_with(['{', '[', '"']);
            body.fill(values, if json { Filling::Json } else { Filling::Plain })
        });
        let path = self.path.fill(values, Filling::Path)?;
        Ok(HttpRequest { method: self.method, path, headers, body: body.transpose()? })
    }

    /// What `answer` comes to.
    #[must_use]
    pub fn meaning(&self, answer: &HttpAnswer) -> Meaning {
        match self.statuses.meaning(answer.status) {
            Meaning::Ok if !holds(&self.accept, answer) => Meaning::Refused,
            meaning => meaning,
        }
    }

    /// Keeps in `values` what the scenario asks for of `answer`. What is not there has no value from now on.
    pub fn keep(&self, answer: &HttpAnswer, values: &mut Values) {
        for (name, pointer) in &self.capture {
            if let Some(text) = pointer.text_in(answer.json()) {
                values.set(name, text);
            }
        }
    }
}

impl Again {
    /// Whether `answer`, the `tried`th, is one after which the request is made again.
    #[must_use]
    pub fn asks(&self, answer: &HttpAnswer, tried: u32) -> bool {
        tried < self.tries && holds(&self.when, answer)
    }
}

fn holds(expected: &Expected, answer: &HttpAnswer) -> bool {
    expected.iter().all(|(pointer, value)| pointer.find(answer.json()) == Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verify() -> RequestPlan {
        RequestPlan {
            method: "POST",
            path: Template::new("/verify/{slot}"),
            headers: vec![("x-who".to_owned(), Template::new("{holder}"))],
            body: Some(Template::new(r#"{"lockId":"{lock_id}"}"#)),
            statuses: Statuses::default(),
            accept: vec![("/valid".parse().unwrap(), json!(true))],
            capture: vec![("left".to_owned(), "/remainingTTL".parse().unwrap())],
            again: None,
        }
    }

    #[test]
    fn a_good_status_with_another_body_is_a_clear_no() {
        let verify = verify();
        let answer = |status, body: &str| HttpAnswer::new(status, body.as_bytes().to_vec());
        assert_eq!(verify.meaning(&answer(200, r#"{"valid":true}"#)), Meaning::Ok);
        assert_eq!(verify.meaning(&answer(200, r#"{"valid":false}"#)), Meaning::Refused);
        assert_eq!(verify.meaning(&answer(200, "<html>")), Meaning::Refused);
        assert_eq!(verify.meaning(&answer(500, r#"{"valid":true}"#)), Meaning::Unknown);
    }

    #[test]
    fn a_request_is_made_once_everything_in_it_is_known() {
        let (verify, mut values) = (verify(), Values::default());
        values.set("slot", "a b");
        values.set("holder", "3");
        assert!(!verify.can_be_made(&values));
        values.set("lock_id", "x\"y");
        let common = [("X-Who".to_owned(), Template::new("anybody"))];
        let request = verify.make(&common, &values).unwrap();
        assert_eq!(request.path, "/verify/a%20b");
        assert_eq!(request.headers, [("x-who".to_owned(), "3".to_owned())]);
        assert_eq!(request.body.as_deref(), Some(r#"{"lockId":"x\"y"}"#));
    }
}
