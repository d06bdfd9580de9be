"""Folders, settings and every threshold. Standard library and platformdirs only."""
