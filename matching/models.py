"""The tables of ``matching``."""
