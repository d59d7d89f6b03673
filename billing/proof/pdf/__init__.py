"""The receipt on paper: a sheet to draw on, its words in two languages, and the layout."""
