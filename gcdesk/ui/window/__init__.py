"""The main window: toolbar, list, detail, status strip."""
