"""Labels, captions, decoding, checkpoints, backends, selection and evaluation. No Qt, no torch at import."""
