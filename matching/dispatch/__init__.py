"""Dispatch: from a request to a ring that is answered, with the promise, the wishes and the fairness panel."""
