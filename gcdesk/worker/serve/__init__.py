"""The worker that serves the window: queue, scoring, pictures."""
