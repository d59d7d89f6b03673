"""The top of the house: flow, wiring, one entry per process."""
