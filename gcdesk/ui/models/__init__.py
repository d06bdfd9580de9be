"""The models sheet: import, comparison, use."""
