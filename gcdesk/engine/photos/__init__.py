"""Photo files: found, recognised, decoded, preprocessed."""
