"""Learning: what became of matches, the nightly fit, and which model ranks."""
