"""gcdesk: which bin does it go into, and why."""
