//! `[target.bookings]`: how the bookings are read back, by which a slot sold twice is known.

use lockproof_http_target::{Pointer, ReadBack, RowsAt, Template};

use super::places::{OF_SLOTS, Places};
use super::request;
use crate::reader::Reader;

pub(super) fn read(target: &mut Reader<'_, '_>, places: &mut Places) -> Option<ReadBack> {
    let Some(mut reader) = target.table("bookings") else {
        target.problem("[target.bookings] is missing: how are the bookings read back? A request, or a database-url and a query");
        return None;
    };
    let mut of_slots = Places::new(OF_SLOTS);
    let read = match (reader.has("request"), reader.has("query")) {
        (true, false) => endpoint(&mut reader, &mut of_slots),
        (false, true) => sql(&mut reader, &mut of_slots),
        (true, true) => {
            reader.problem("bookings are read back by a `request` or by a `query`, not both");
            reader.rest();
            None
        }
        (false, false) => {
            reader.problem("how are the bookings read back? write request = \"GET /bookings?slot={slot}\" and rows = \"/bookings\", or database-url and query");
            reader.rest();
            None
        }
    };
    reader.finish();
    places.secrets = std::mem::take(&mut places.secrets).and(&of_slots.secrets);
    read
}

fn endpoint(reader: &mut Reader<'_, '_>, places: &mut Places) -> Option<ReadBack> {
    if !reader.has("rows") {
        reader.problem("`rows` is missing: the JSON pointer of the array of bookings, \"\" where it is the whole answer");
    }
    let rows = pointer(reader, "rows");
    let (id, reference) = (pointer(reader, "id"), pointer(reader, "reference"));
    let counter = pointer(reader, "counter");
    let only = request::expected(reader, "only");
    let request = request::plan(reader, places);
    Some(ReadBack::Endpoint {
        request: request?,
        rows: RowsAt { rows: rows?, only, id, reference, counter },
    })
}

fn pointer(reader: &mut Reader<'_, '_>, field: &'static str) -> Option<Pointer> {
    let text = reader.text(field)?;
    request::pointer(text, reader)
}

fn sql(reader: &mut Reader<'_, '_>, places: &mut Places) -> Option<ReadBack> {
    let query = reader.text("query").map(|text| places.template(reader, text));
    let counter = reader.text("counter").map(|text| places.template(reader, text));
    if !reader.has("database-url") {
        reader.problem("`database-url` is missing: \"{database_url}\" for the database that the run gives to the service, or postgres://… or sqlite:PATH");
    }
    let url = reader.text("database-url")?;
    let span = url.span();
    let mut of_databases = Places::new(&["database_url"]);
    let url: Template = of_databases.template(reader, url);
    let plain = url.names().next().is_none();
    if plain && let Err(error) = url.text().parse::<lockproof_bookings::ForeignDatabase>() {
        reader.source().problem(&span, format!("{error}"));
    }
    places.secrets = std::mem::take(&mut places.secrets).and(&of_databases.secrets);
    Some(ReadBack::Sql { url, query: query?, counter })
}
