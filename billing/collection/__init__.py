"""Collection: what was due and could not be taken is asked for again, by plan, and openly."""
