"""Language: what the words of questions and profiles come down to, in English and German (no I/O)."""
