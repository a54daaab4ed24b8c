"""Tags and filters of pages."""
