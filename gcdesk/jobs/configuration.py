"""The worker's configuration message from the user's settings."""

from __future__ import annotations

from gcdesk.config.folders import user_folders
from gcdesk.config.settings import Settings
from gcdesk.worker.protocol.messages import Configure

_PICTURES = "pictures"


def configuration_of(settings: Settings) -> Configure:
    """Models, rule and thresholds of the settings; pictures go to the user's cache."""
    return Configure(
        image_model=settings.image_model,
        text_model=settings.text_model,
        rule=settings.rule,
        device=settings.device,
        threads=settings.threads,
        review_threshold=settings.review_threshold,
        disagreement_margin=settings.disagreement_margin,
        weight=settings.text_weight,
        pictures_folder=str(user_folders().cache / _PICTURES),
    )
