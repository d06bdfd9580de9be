"""The wizard and pages for training and classifying on a Slurm cluster."""
