-- Writers take turns, so what this sees is all that there is: as good as an exclusion constraint.
CREATE TRIGGER bookings_exclude BEFORE INSERT ON bookings
WHEN NEW.state = 'confirmed' AND EXISTS (
    SELECT 1 FROM bookings
    WHERE slot = NEW.slot AND state = 'confirmed' AND span_from < NEW.span_to AND NEW.span_from < span_to
)
BEGIN
    SELECT RAISE(ABORT, 'an overlapping span is sold already');
END;
