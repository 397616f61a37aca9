"""Context source registrations: who else holds what (GS CIM 009 V1.9.1, clauses 4.3.6 and 5.9 to 5.12)."""
