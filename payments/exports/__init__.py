"""Reports as files: written once, kept, and fetched by those who may."""
