"""Kept pages of a real pool: the same as the rows say, given up when anything of them changes, quiet otherwise."""
