"""Consultants as matching knows them: one row each, written by events, mirrored in memory by every process."""
