"""The tables of ``signaling``."""
