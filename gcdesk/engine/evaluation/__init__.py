"""Accuracy, calibration and comparisons over a labelled set, as figures and as a page."""
