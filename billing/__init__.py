"""Money: metering, charges, ledger, provider, finance."""
