"""What is read from file names and caption tables."""
