"""Rules on entities: counting, firing, commanding devices, trying on the past."""
