"""The station view, read from two metres."""
