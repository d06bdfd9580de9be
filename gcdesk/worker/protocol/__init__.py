"""JSON lines between the window and its child processes."""
