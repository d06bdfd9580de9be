"""Job bundles for a Slurm cluster: written from the templates in slurm/, their results checked and taken home."""
