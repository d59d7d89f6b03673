"""HTTP in, service call, JSON out; the built client."""
