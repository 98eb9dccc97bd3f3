"""Files as they are found: which, packed how, in which encoding."""
