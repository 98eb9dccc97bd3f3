"""What a sweep found, told as a table with sentences, and as a page with a plot."""
