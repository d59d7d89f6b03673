"""From a question to a ring: ranking, explanation, dispatch, learning. Which file is what: docs/ARCHITECTURE.md."""
