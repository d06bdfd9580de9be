"""Child processes as the window sees them: start, ask, cancel, restart. QtCore only; nothing here blocks."""
