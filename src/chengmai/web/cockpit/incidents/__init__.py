"""Incidents: the list, the room of one, and how the alarms went in a week."""
