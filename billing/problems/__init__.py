"""*Problem with this call*: answered by the evidence where it is conclusive, else a case both sides see."""
