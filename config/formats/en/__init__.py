"""Of English."""
