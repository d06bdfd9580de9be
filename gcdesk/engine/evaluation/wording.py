"""Words of an evaluation that its page in the window and its report share."""

from __future__ import annotations

from gcdesk.engine.evaluation.scored_set import CONFIRMED, CORRECTED, FOLDER, RANDOM
from gcdesk.engine.selection.rules import Winner

SOURCE_WORDS = {
    FOLDER: "From the folder",
    RANDOM: "Picked at random and confirmed (unbiased)",
    CONFIRMED: "Confirmed by the operator",
    CORRECTED: "Corrected by the operator (the hard ones)",
}
WINNER_WORDS = {Winner.IMAGE: "Image model", Winner.TEXT: "Text model", Winner.BOTH: "Both"}
