"""Training of the text model: captions in, a `.gcmodel` out."""
