"""Payouts: when each connected account is paid, what each payout holds, and what is held back."""
