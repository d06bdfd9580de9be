"""What outlives the window: sessions, photos, both models' answers, and the operator's. SQLite and numpy only."""

from gcdesk.store.database import Store, store_path
from gcdesk.store.errors import StoreError
from gcdesk.store.identity import identity
from gcdesk.store.moves import JournaledMove, PlannedMove, Settled
from gcdesk.store.records import (
    Added,
    CaptionChange,
    FieldAccuracy,
    Judged,
    LoadedRows,
    NewPhoto,
    Run,
    SessionInfo,
    SpotCheck,
    Status,
    StoredResult,
)
from gcdesk.store.writer import StoreWriter

__all__ = [
    "Added",
    "CaptionChange",
    "FieldAccuracy",
    "JournaledMove",
    "Judged",
    "LoadedRows",
    "NewPhoto",
    "PlannedMove",
    "Run",
    "SessionInfo",
    "Settled",
    "SpotCheck",
    "Status",
    "Store",
    "StoreError",
    "StoreWriter",
    "StoredResult",
    "identity",
    "store_path",
]
