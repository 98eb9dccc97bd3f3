<<<<<<< HEAD
"""The plugins that sftrecipe brings along, by room: methods, kinds, what they share."""
=======
"""The built-in plugins."""
>>>>>>> heads/methods
