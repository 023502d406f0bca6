//! What is booked, and what its lock is called: the keys of the systems that this one may run beside.

use std::fmt;

use lockproof_model::LockName;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Refused;
use crate::fields::Fields;

/// Longest duration, in minutes: a week.
const DURATION_MAX: i64 = 10_080;
const DURATION: i64 = 60;

/// A tenant's resource at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Slot {
    /// Whose it is. None of `{ } | :`, no control characters, up to 128 bytes.
    #[schema(max_length = 128, min_length = 1, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")]
    pub(crate) tenant_id: String,
    /// What is booked; the same holds of its characters.
    #[schema(max_length = 128, min_length = 1, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")]
    pub(crate) resource_id: String,
    /// YYYY-MM-DD.
    #[schema(format = "date", example = "2026-05-01")]
    pub(crate) date: String,
    /// HH:MM.
    #[schema(pattern = r"^([01]\d|2[0-3]):[0-5]\d$", example = "09:00")]
    pub(crate) start_time: String,
    /// Minutes; 60 unless said.
    #[schema(minimum = 1, maximum = 10080, value_type = Option<i64>)]
    pub(crate) duration: i64,
}

impl Slot {
    pub(crate) fn read(fields: &Fields) -> Result<Self, Refused> {
        Self::of(fields, "resourceId")
    }

    /// The same where the resource is called otherwise.
    pub(crate) fn of(fields: &Fields, resource: &str) -> Result<Self, Refused> {
        Ok(Self {
            tenant_id: fields.name("tenantId")?,
            resource_id: fields.name(resource)?,
            date: fields.date("date")?,
            start_time: fields.time("startTime")?,
            duration: fields.integer("duration", 1..=DURATION_MAX)?.unwrap_or(DURATION),
        })
    }

    /// What the database calls it, whatever the layout of keys.
    pub(crate) fn row_name(&self) -> String {
        let Self { tenant_id, resource_id, date, start_time, .. } = self;
        format!("{tenant_id}|{resource_id}|{date}|{start_time}")
    }
}

/// How the lock of a slot is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KeyLayout {
    /// `booking_lock:{tenant|resource}:date:time`, the braces being a hash tag: a cluster keeps the locks of one resource,
    /// and their counters, in one place.
    #[default]
    Appointment,
    /// `slot_lock:ctenant:sresource:tdateTtime`.
    Voice,
    /// `lock:room:tenant|resource:dateTtime`.
    Hotel,
}

impl KeyLayout {
    /// Every layout by its name.
    pub(crate) const ALL: &[(&str, Self)] =
        &[("appointment", Self::Appointment), ("voice", Self::Voice), ("hotel", Self::Hotel)];

    pub(crate) fn lock(self, slot: &Slot) -> LockName {
        let Slot { tenant_id, resource_id, date, start_time, .. } = slot;
        LockName::new(&match self {
            Self::Appointment => {
                format!("booking_lock:{{{tenant_id}|{resource_id}}}:{date}:{start_time}")
            }
            Self::Voice => format!("slot_lock:c{tenant_id}:s{resource_id}:t{date}T{start_time}"),
            Self::Hotel => format!("lock:room:{tenant_id}|{resource_id}:{date}T{start_time}"),
        })
    }

    /// The slot that a lock is of, its duration being unknown; none for a lock of another kind.
    pub(crate) fn slot(self, lock: &LockName) -> Option<Slot> {
        let lock = lock.as_str();
        let (tenant, resource, date, time) = match self {
            Self::Appointment => {
                let (names, when) = lock.strip_prefix("booking_lock:{")?.split_once("}:")?;
                let (tenant, resource) = names.split_once('|')?;
                let (date, time) = when.split_once(':')?;
                (tenant, resource, date, time)
            }
            Self::Voice => {
                let (tenant, rest) = lock.strip_prefix("slot_lock:c")?.split_once(":s")?;
                let (resource, when) = rest.split_once(":t")?;
                let (date, time) = when.split_once('T')?;
                (tenant, resource, date, time)
            }
            Self::Hotel => {
                let (tenant, rest) = lock.strip_prefix("lock:room:")?.split_once('|')?;
                let (resource, when) = rest.split_once(':')?;
                let (date, time) = when.split_once('T')?;
                (tenant, resource, date, time)
            }
        };
        let [tenant_id, resource_id, date, start_time] =
            [tenant, resource, date, time].map(str::to_owned);
        Some(Slot { tenant_id, resource_id, date, start_time, duration: DURATION })
    }

    /// A glob for the locks of a tenant, or of all.
    pub(crate) fn pattern(self, tenant: Option<&str>) -> String {
        let tenant = tenant.map_or_else(|| "*".to_owned(), escaped);
        match self {
            Self::Appointment => format!("booking_lock:{{{tenant}|*}}:*"),
            Self::Voice => format!("slot_lock:c{tenant}:s*"),
            Self::Hotel => format!("lock:room:{tenant}|*"),
        }
    }
}

impl fmt::Display for KeyLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, layout)| layout == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// `text` with what a glob would take for its own.
fn escaped(text: &str) -> String {
    let mut glob = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

/// The lock of a night in a room.
pub(crate) fn night(room: &str, date: &str) -> LockName {
    LockName::new(&format!("lock:room:{room}:{date}"))
}

/// The lock of a seat.
pub(crate) fn seat(seat: &str) -> LockName {
    LockName::new(&format!("seat_lock:{{{seat}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_back_to_its_slot_in_every_layout() {
        let [tenant_id, resource_id] = ["clinic 7", "dr-w"].map(str::to_owned);
        let (date, start_time) = ("2026-05-01".to_owned(), "09:30".to_owned());
        let slot = Slot { tenant_id, resource_id, date, start_time, duration: 60 };
        for (name, layout) in KeyLayout::ALL {
            assert_eq!(layout.slot(&layout.lock(&slot)).as_ref(), Some(&slot), "{name}");
            assert_eq!(layout.slot(&LockName::new("lock:room:7:2026-05-01")), None, "{name}");
        }
        let appointment = KeyLayout::Appointment.lock(&slot);
        assert_eq!(appointment.as_str(), "booking_lock:{clinic 7|dr-w}:2026-05-01:09:30");
    }

    #[test]
    fn a_tenant_called_star_is_not_all_of_them() {
        assert_eq!(KeyLayout::Voice.pattern(Some("*")), r"slot_lock:c\*:s*");
    }
}
