"""Photos and captions in, results out: the one scoring pipeline."""
