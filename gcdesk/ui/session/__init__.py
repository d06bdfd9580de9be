"""The session behind the window: rows, results, undo, store. No QtWidgets."""
