"""Long jobs as child processes: train, evaluate, import, learn."""
