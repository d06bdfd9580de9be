"""Exports: tables, bin folders, training sets."""
