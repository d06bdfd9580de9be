"""The other end of the window's pipe: a process that serves the engine, one JSON object a line. No Qt."""
