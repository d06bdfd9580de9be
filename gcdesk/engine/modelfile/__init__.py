"""The native model file (.gcmodel): read, checked, written."""
