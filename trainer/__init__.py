"""Text and image training, usable alone on a cluster. Imports gcdesk.engine and gcdesk.config only."""
