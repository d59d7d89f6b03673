"""Stripe: the one door through which money leaves or enters, and the plain values that pass it."""
