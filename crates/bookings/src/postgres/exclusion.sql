-- A slot as a range of one, since equality of numbers in a GiST index would take an extension (btree_gist).
ALTER TABLE {schema}.bookings ADD CONSTRAINT bookings_exclude
    EXCLUDE USING gist (int8range(slot, slot, '[]') WITH &&, int8range(span_from, span_to) WITH &&)
    WHERE (state = 'confirmed');
