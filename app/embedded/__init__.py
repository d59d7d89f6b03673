"""Real servers from wheels, on loopback, for a machine that has none: PostgreSQL and Redis."""
