"""Ranking: what is computed about candidates, and why it came out so; the models are data (no I/O)."""
