"""The plugins that sftrecipe brings along, by room: methods, kinds, what they share."""
