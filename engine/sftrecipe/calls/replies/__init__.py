"""What a reply is: its parts, its end, its length."""
