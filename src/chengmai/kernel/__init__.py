"""Words everybody shares: ids, clock, instants, units, geometry, problems, events, texts."""
