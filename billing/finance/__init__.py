"""What finance sees: charges, details with proof, totals, CSV; and what a consultant earned."""
