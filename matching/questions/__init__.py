"""Questions: posted, edited, ranked for, withdrawn; what helps while one is typed, and what is refused."""
