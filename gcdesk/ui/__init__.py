"""The window. QtGui and QtWidgets are used here only; it uses jobs and store, and imports no model runtime."""
