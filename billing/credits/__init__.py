"""Credits: what the house owes a customer for a missed promise, given back of what they pay later."""
