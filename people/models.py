"""The tables of ``people``."""
