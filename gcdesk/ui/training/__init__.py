"""The training sheet: plan, sources, progress, result."""
