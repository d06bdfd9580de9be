"""The evaluation sheet and its pages."""
