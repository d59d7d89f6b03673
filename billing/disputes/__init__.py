"""Disputes: what a customer's bank takes back, the evidence against it, and what became of it."""
