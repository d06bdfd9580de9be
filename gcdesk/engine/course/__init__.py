"""Checkpoints of the course: read without running pickle, recognised, written back."""
