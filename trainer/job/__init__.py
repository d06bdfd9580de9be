"""An image training as a cluster job: its settings file, what it records, the checks before it, the way back.

`python -m trainer.job run|preflight|collect` is what the scripts of a job bundle call. No Qt, no network but
for the pretrained weights, and torch only where it trains.
"""
