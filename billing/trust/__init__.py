"""Whom the house trusts with a hold that comes later: a rule over stored facts, never anything a client says."""
