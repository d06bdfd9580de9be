"""Text and image training, usable alone on a cluster. Imports gcdesk.engine and gcdesk.config only."""

import gcdesk  # noqa: F401 - its first act is to forbid the libraries their telemetry (gcdesk.config.telemetry)
