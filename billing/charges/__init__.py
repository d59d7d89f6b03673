"""Charges: holds, captures and releases, and the commands that carry them to Stripe."""
