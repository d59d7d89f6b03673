"""The index: consultants and past questions in memory, as arrays that a question reads within milliseconds."""
