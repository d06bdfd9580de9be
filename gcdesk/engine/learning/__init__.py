"""Models and rules learned from a station's own corrections in seconds."""
