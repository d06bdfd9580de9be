"""The worker as a process: lifetime, output, sandbox."""
