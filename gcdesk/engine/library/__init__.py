"""The installed models: list, import, export, use, history."""
