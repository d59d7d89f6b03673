"""Money given back: previewed, approved, sent, booked as Stripe returned it."""
