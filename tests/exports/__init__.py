"""Exports: from the wish to the file, and everything that may go wrong in between."""
