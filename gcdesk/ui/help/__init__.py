"""Help pages and the about dialog."""
