"""The application: start, composition of the features, logs, self-test."""
