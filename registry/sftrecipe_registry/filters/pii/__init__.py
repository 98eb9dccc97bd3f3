"""The filter `pii`: personal data found by kind, told, masked or dropped."""
