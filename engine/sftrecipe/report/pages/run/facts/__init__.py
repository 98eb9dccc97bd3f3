"""What the report tells, one module a section: plain data, drawn elsewhere."""
