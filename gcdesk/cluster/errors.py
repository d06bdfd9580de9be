"""What goes wrong with bundles and results, each with a sentence to act on."""

from __future__ import annotations

from gcdesk.engine.errors import GcdeskError


class TalcError(GcdeskError):
    """Base of this room's errors."""


class SiteError(TalcError):
    """A site profile that cannot be used."""


class BundleError(TalcError):
    """A bundle that cannot be written."""


class ResultError(TalcError):
    """A result that is damaged, unsafe or not ours."""
