"""What is checked of a recipe before anything is spent, a question a module."""
