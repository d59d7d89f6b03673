"""Questions, ranking, explanation and dispatch: who is rung, and when the next."""
