"""The words of pages and sweeps, in English and Chinese."""
