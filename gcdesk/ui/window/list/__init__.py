"""The list of photos: model, view, delegate, caption editor."""
