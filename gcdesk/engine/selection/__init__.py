"""From two models' probabilities to one label: rules, calibration, doubts."""
