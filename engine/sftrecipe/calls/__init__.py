"""Asking models: ledger, limits, retries, budget."""
