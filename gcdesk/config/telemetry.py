"""Libraries that would report home, or fetch things by themselves, are told not to: before any of them is imported."""

from __future__ import annotations

import os

# Each is read by its library when that is imported, so `gcdesk` and `trainer` set them as their own first act.
_REPORTS = {
    # ONNX Runtime since 1.29: a device id and a queue in the user's cache, and a look-up of its collector's address.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, which tokenizers and transformers bring along.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
# A model that is named and not there is not fetched, unless the user sets HF_HUB_OFFLINE=0 for that.
OFFLINE = "HF_HUB_OFFLINE"


def silence() -> None:
    """Set the variables for this process and all that it starts. A user cannot turn the reports on by accident:
    docs/threat-model.md promises that there are none.
    """
    os.environ.update(_REPORTS)
    os.environ.setdefault(OFFLINE, "1")
