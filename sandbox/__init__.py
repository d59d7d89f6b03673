"""The Stripe sandbox: a process of its own that imports nothing of ours."""
