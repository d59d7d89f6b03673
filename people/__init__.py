"""Persons: accounts, roles, sessions, profiles, consents, ratings, blocks. All personal data sit here."""
