"""The committed schema, and what a change of it does to callers."""
