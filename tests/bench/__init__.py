"""Benches: each prints what it measured, with --json as one line."""
