"""Preferences and their dialog."""
