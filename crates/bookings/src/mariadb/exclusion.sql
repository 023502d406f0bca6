-- An application-time period is made of dates; a span of numbers becomes one of seconds since 1970. The constraint waits
-- for a row that is not committed yet, as a unique index does.
ALTER TABLE {schema}.bookings
    ADD begins DATETIME NOT NULL DEFAULT (TIMESTAMPADD(SECOND, span_from, '1970-01-01')),
    ADD ends   DATETIME NOT NULL DEFAULT (TIMESTAMPADD(SECOND, span_to, '1970-01-01')),
    ADD PERIOD FOR sold (begins, ends),
    ADD UNIQUE bookings_exclude (slot, state, sold WITHOUT OVERLAPS);
