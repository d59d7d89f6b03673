"""Files that belong to a question, and who may read them."""
