//! Orders: placing them under a guard, reading them back, ending them.

use std::time::Duration;

use lockproof_bookings::catalog::Entry;
use lockproof_bookings::{
    BookingSession, Certainty, Checked, Committed, Connection, Inserted, Request, SqlConnection,
    SqlRow, SqlValue,
};
use lockproof_model::{AttemptId, FencingToken, HolderId, Refusal, Span};

use super::writer::Writer;
use super::{Result, Store, tables};

/// What a customer orders: one slot, or several, all or none.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) tenant: Option<String>,
    pub(crate) resource: String,
    pub(crate) service: Option<String>,
    pub(crate) date: String,
    pub(crate) start_time: Option<String>,
    pub(crate) end_time: Option<String>,
    pub(crate) customer_name: String,
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_phone: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) duration: Option<i64>,
    /// Milliseconds since the Unix epoch.
    pub(crate) expires_at: Option<i64>,
    /// The request that it came with, where that can come again.
    pub(crate) request_key: Option<String>,
    pub(crate) units: Vec<Unit>,
}

/// One of the slots of an order.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// As the database calls it.
    pub(crate) name: String,
    /// How often it may be sold, where it has no row yet.
    pub(crate) capacity: u32,
    pub(crate) token: Option<FencingToken>,
    /// The room and the night whose inventory it is counted in.
    pub(crate) night: Option<(String, String)>,
}

/// What placing an order came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    Booked,
    /// Sold out before.
    Taken,
    /// The guard, or the database, said no.
    Refused(Refusal),
}

/// How far a reservation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Cancelled,
    Expired,
}

impl Status {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cancelled => ("CANCELLED", "cancelled"),
            Self::Expired => ("EXPIRED", "expired"),
        }
    }
}

/// An order as it stands in the table.
#[derive(Clone, Debug)]
pub(crate) struct Reservation {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) tenant: Option<String>,
    pub(crate) resource: String,
    pub(crate) service: Option<String>,
    pub(crate) date: String,
    pub(crate) start_time: Option<String>,
    pub(crate) end_time: Option<String>,
    pub(crate) customer_name: String,
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_phone: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) duration: Option<i64>,
    pub(crate) status: String,
    pub(crate) expires_at: Option<i64>,
}

impl Store {
    /// Books every unit of `order` under `guard`, all or none. `work` is what the application does between its check and
    /// its insert.
    ///
    /// Nobody else decides what came of a commit without an answer: the reservation is looked for, and what is not
    /// there is reported as the error that it was, since it may still come.
    pub(crate) async fn place(
        &self,
        order: &Order,
        guard: &'static Entry,
        work: Duration,
    ) -> Result<Placed> {
        let mut requests = Vec::with_capacity(order.units.len());
        for unit in &order.units {
            if let Some((room, night)) = &unit.night {
                let total = i64::from(unit.capacity);
                let values = vec![room.as_str().into(), night.as_str().into(), total.into()];
                self.execute(tables::MAKE_NIGHT, values).await?;
            }
            requests.push(Request {
                slot: self.slot(&unit.name, unit.capacity).await?,
                span: Span::WHOLE,
                holder: HolderId(1),
                attempt: AttemptId(u32::try_from(self.env.random().bits() >> 32).unwrap_or(1)),
                fencing_token: unit.token,
            });
        }
        let writer = Writer::new(self.pool.take().await?, order.clone());
        let mut session = BookingSession::over(Box::new(writer), guard.guard);
        for _ in 0..session.tries() {
            match self.try_place(&mut session, &requests, work).await {
                Ok(Placed::Refused(Refusal::Aborted)) => {}
                Err(error) if error.certainty() == Certainty::Indefinite => {
                    return match self.find(&order.id).await {
                        Ok(Some(_)) => Ok(Placed::Booked),
                        Ok(None) | Err(_) => Err(error),
                    };
                }
                placed => return placed,
            }
        }
        Ok(Placed::Refused(Refusal::Aborted))
    }

    async fn try_place(
        &self,
        session: &mut BookingSession,
        requests: &[Request],
        work: Duration,
    ) -> Result<Placed> {
        for (place, request) in requests.iter().enumerate() {
            if place == 0 {
                session.begin(*request).await?;
            } else {
                session.also(*request);
            }
            match session.check().await? {
                Checked::Free(_) => {}
                Checked::Taken { .. } | Checked::Done { .. } => return Ok(Placed::Taken),
                Checked::Refused(refusal) => return Ok(Placed::Refused(refusal)),
            }
        }
        if !work.is_zero() {
            self.env.sleep(work).await;
        }
        for _ in requests {
            if let Inserted::Refused(refusal) = session.insert().await? {
                return Ok(Placed::Refused(refusal));
            }
        }
        Ok(match session.commit().await? {
            Committed::Booked(_) => Placed::Booked,
            Committed::Refused(refusal) => Placed::Refused(refusal),
        })
    }

    pub(crate) async fn find(&self, id: &str) -> Result<Option<Reservation>> {
        let rows = self.query(tables::FIND, vec![id.into()]).await?;
        Ok(rows.first().and_then(reservation))
    }

    /// What an earlier try of the same request has booked.
    pub(crate) async fn find_by_request(&self, key: &str) -> Result<Option<Reservation>> {
        let rows = self.query(tables::FIND_BY_REQUEST, vec![key.into()]).await?;
        Ok(rows.first().and_then(reservation))
    }

    /// Ends a confirmed reservation, and frees what it had; whether it was confirmed.
    pub(crate) async fn end(&self, id: &str, status: Status) -> Result<bool> {
        let (word, state) = status.words();
        let mut db = self.begin().await?;
        let ended = db.execute(tables::END, vec![id.into(), word.into()]).await? > 0;
        if ended {
            db.execute(tables::END_UNITS, vec![id.into(), state.into()]).await?;
            db.execute(tables::FREE_NIGHTS, vec![id.into()]).await?;
        }
        db.commit().await?;
        Ok(ended)
    }

    /// Ends what has expired by `now`; how many.
    pub(crate) async fn expire(&self, now: u64) -> Result<usize> {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let mut expired = 0;
        for row in self.query(tables::EXPIRED, vec![now.into()]).await? {
            if let Some(id) = row[0].text()
                && self.end(id, Status::Expired).await?
            {
                expired += 1;
            }
        }
        Ok(expired)
    }
}

fn reservation(row: &SqlRow) -> Option<Reservation> {
    let text = |column: usize| row.get(column).and_then(SqlValue::text).map(str::to_owned);
    Some(Reservation {
        id: text(0)?,
        kind: text(1)?,
        tenant: text(2),
        resource: text(3)?,
        service: text(4),
        date: text(5)?,
        start_time: text(6),
        end_time: text(7),
        customer_name: text(8)?,
        customer_email: text(9),
        customer_phone: text(10),
        price: text(11),
        duration: row[12].integer(),
        status: text(13)?,
        expires_at: row[14].integer(),
    })
}
