"""What the screens see of a running city: the ports of the cockpit, put onto the rooms."""
