"""Adjustments: what finance decides about a charge beside refunds: a bill waived, and the books corrected."""
