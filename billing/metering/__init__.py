"""From observed intervals to an amount: pure rules, and the service that wakes when something is due."""
