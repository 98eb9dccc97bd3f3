"""A trained model handed on: in other forms, and to model hubs."""
