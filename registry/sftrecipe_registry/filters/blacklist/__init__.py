"""The filter `blacklist`: unwanted words, and instructions that Self-Instruct would drop."""
