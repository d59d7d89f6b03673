"""The parts of ``./bench chaos``: scripts and their oracle, people, faults, kills, and the reconciliation."""
