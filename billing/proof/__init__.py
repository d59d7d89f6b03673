"""Proof: what a third party needs to check a bill without us. Evidence chain, signed receipt, its verification."""
