//! A slot as services name it: by number, by date and time, by night.

use jiff::ToSpan;
use jiff::civil::{Date, date, time};

use crate::template::Values;

/// The day of the first slot: far enough ahead that no service takes it for the past.
const FIRST_DAY: Date = date(2035, 1, 1);
/// Half-hour slots from nine to five.
const SLOTS_A_DAY: u32 = 16;

/// What the places of a template are filled with for slot number `slot`, counted from 1.
///
/// `slot` is its number; `slot_date`, `slot_time` and `slot_end` make it one of the half hours of a working day, so many
/// that no two slots share one; `night` and `next_day` make it a night of its own.
#[must_use]
pub fn values_of_slot(slot: u32) -> Values {
    let index = slot.saturating_sub(1);
    let day = |days: u32| {
        let later = FIRST_DAY.checked_add(i64::from(days).days());
        // Only a slot number past every calendar has none; the services would refuse it, too.
        later.unwrap_or(Date::MAX)
    };
    let half_hour = |number: u32| {
        let minutes = i64::from(9 * 60 + 30 * number);
        time(0, 0, 0, 0).wrapping_add(minutes.minutes()).strftime("%H:%M").to_string()
    };
    let within = index % SLOTS_A_DAY;
    let mut values = Values::default();
    values.set("slot", slot.to_string());
    values.set("slot_date", day(index / SLOTS_A_DAY).to_string());
    values.set("slot_time", half_hour(within));
    values.set("slot_end", half_hour(within + 1));
    values.set("night", day(index).to_string());
    values.set("next_day", day(index.saturating_add(1)).to_string());
    values
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_slots_share_a_time_or_a_night() {
        let values: Vec<_> = (1..=100).map(values_of_slot).collect();
        let times: BTreeSet<_> =
            values.iter().map(|slot| (slot.get("slot_date"), slot.get("slot_time"))).collect();
        let nights: BTreeSet<_> = values.iter().map(|slot| slot.get("night")).collect();
        assert_eq!((times.len(), nights.len()), (100, 100));
        let last_of_day = &values[15];
        assert_eq!(last_of_day.get("slot_time"), Some("16:30"));
        assert_eq!(last_of_day.get("slot_end"), Some("17:00"));
        assert_eq!(values[16].get("slot_date"), Some("2035-01-02"));
        assert_eq!(values[0].get("next_day"), values[1].get("night"));
    }
}
