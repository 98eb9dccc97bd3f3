"""What is known of vendors, from one dated file."""
