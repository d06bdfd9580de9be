"""gcdesk: which bin does it go into, and why."""

from gcdesk.config.telemetry import silence

silence()
