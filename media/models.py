"""The tables of ``media``."""
