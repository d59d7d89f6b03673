"""The Stripe sandbox: a process of its own that speaks Stripe's wire API and imports nothing of ours."""
