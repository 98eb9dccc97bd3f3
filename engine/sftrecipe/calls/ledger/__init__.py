"""The ledger: every call, written before it leaves and at its reply."""
