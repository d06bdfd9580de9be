"""Colours, fonts, style sheets."""
