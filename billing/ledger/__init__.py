"""The books: append-only, double entry."""
