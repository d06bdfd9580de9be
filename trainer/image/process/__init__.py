"""A training as a process: device, several GPUs, stop requests, events, provenance."""
