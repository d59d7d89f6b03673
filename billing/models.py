"""The tables of ``billing``."""
