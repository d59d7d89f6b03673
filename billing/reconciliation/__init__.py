"""Reconciliation: our books against Stripe's, and every bill against its raw intervals."""
