"""The command line as it is shown: pages of help, completion."""
