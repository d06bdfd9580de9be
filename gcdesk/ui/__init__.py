"""The window: QtGui and QtWidgets live here and nowhere else. Talks to jobs and store, never to torch or
onnxruntime.
"""
