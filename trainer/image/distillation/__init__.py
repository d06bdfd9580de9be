"""Distillation: an image model learned from a teacher's embeddings, labels and item kinds together."""
