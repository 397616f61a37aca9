"""SensorThings 1.1, read only: the entities of the city as Things, Datastreams and Observations.

A view, not a second store: nothing can be written here, and whoever may not read entities reads nothing.
`asking` reads the address, `resources` shows entities in the words of the standard, `service` finds them.
"""
