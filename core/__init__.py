"""What every room stands on: settings, clock, ids, money, errors, database, events, jobs, logs."""
