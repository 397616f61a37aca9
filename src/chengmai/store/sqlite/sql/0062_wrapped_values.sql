-- Kind 8, whose `val` is null: a value of the entity is a list or a map, so that no order can go by what is in it.
-- The index is made anew, in the background, when it is asked for next.
DELETE FROM entity_value;
DELETE FROM value_key;
