"""Every threshold and cap of the app, in one place, each with its reason.

Confidences, margins and shares are fractions from 0 to 1. A threshold filters what is shown or asked; it
never changes a stored score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Certainty = Literal["sure", "probably", "check"]

# A photo file larger than this is refused unread: a 12 MP phone photo has 3 to 8 MB as JPEG, and a 24 MP
# uncompressed 16-bit TIFF has 150 MB.
PHOTO_MAX_BYTES = 256 * 1024 * 1024
# Pillow's own limit against decompression bombs (`Image.MAX_IMAGE_PIXELS`, a quarter of a GiB of RGB), which
# stays on. Its warning counts as an error here. It is stated here so that a message can name it.
PHOTO_MAX_PIXELS = 1024 * 1024 * 1024 // 4 // 3
# A JPEG is decoded at a reduced scale: phones take 108 and 200 million pixels. At 1/8, 512 million are 8.
JPEG_MAX_PIXELS = 512_000_000
# Above this a photo that has no scaled decode (PNG, TIFF, HEIC...) is decoded alone and shrunk at once, so
# that several lanes never hold several hundreds of megabytes each.
PHOTO_LARGE_PIXELS = 25_000_000
# A caption says what is in a photo in a few words; the longest in the course's data has 105 characters. What
# comes after this many is not read, so that pasting a book cannot stall the text model.
CAPTION_MAX_CHARACTERS = 1_000
# A caption table of 100,000 photos has about 10 MB.
TABLE_MAX_BYTES = 64 * 1024 * 1024
# And 200,000 cells; each cell, also an empty one, takes a hundred bytes while a table is read.
TABLE_MAX_CELLS = 4_000_000
# The files of a model, refused unread beyond these. `model.json` has 2 to 30 kB.
MODEL_INFO_MAX_BYTES = 1024 * 1024
# The shared vocabulary of 30,522 pieces has 0.5 MB; multilingual ones reach 20.
MODEL_TOKENIZER_MAX_BYTES = 32 * 1024 * 1024
# distilbert-base at fp32 has 265 MB in 102 tensors and a header of 10 kB; an EfficientNet-B2 522 and 50 kB.
MODEL_WEIGHTS_MAX_BYTES = 2 * 1024 * 1024 * 1024
MODEL_HEADER_MAX_BYTES = 2 * 1024 * 1024
MODEL_MAX_TENSORS = 5_000
# What may lie beside them: the novelty file has 170 kB, the hashes of 10,000 captions as much.
MODEL_EXTRA_MAX_BYTES = 8 * 1024 * 1024
# The worker's pictures for the window. A thumbnail fits this square, px; its JPEG has 3 to 6 kB, so the cap holds
# 100,000 of them. A preview has 200 to 400 kB, a heat-map 10 to 30. The oldest go first.
THUMBNAIL_PIXELS = 160
THUMBNAIL_CACHE_BYTES = 512 * 1024 * 1024
PREVIEW_CACHE_BYTES = 256 * 1024 * 1024
HEATMAP_CACHE_BYTES = 32 * 1024 * 1024
# A watched photo counts as written when its size and time stay for so long: cameras write in bursts of some tens
# of milliseconds. One whose last bytes are missing may come over a slow line and is waited for longer.
WATCH_SETTLE_SECONDS = 0.4
WATCH_UNENDED_SECONDS = 4.0
# How often a watched folder is looked at: shares tell nobody of changes, nor does any disk of a file that is
# written again. After a look that takes long (100,000 photos on a share) ten of its own lengths pass,
# but no more than a quarter of a minute: it may have been long because the share stalled, which may be over.
WATCH_POLL_SECONDS = 1.5
# A read that brings nothing for so long comes from a drive that stalls: even a sleeping disk answers sooner.
DRIVE_STALLED_SECONDS = 15.0
# The text model's share under the rule "weighted", until a fit on the station's own pairs. On photos of course_pairs
# and field with captions drawn within the bin, scored by networks that had not learned them, 0.5 to 0.7 were best
# (benchmarks/rules.py); on true pairs the models err together more often, so the careful end of it.
TEXT_WEIGHT = 0.7

# A selection is fitted on no fewer pairs than this: three numbers from fewer say nothing that lasts.
FIT_MIN_ITEMS = 40
# A photo is unlike the training photos beyond the distance that one in a hundred of those has; then the image model's
# logits are divided by this besides its temperature, and so by its model's say.
OOD_TEMPERATURE_FACTOR = 2.0
# The same for a caption of which the text model knows no word: its answer is then little more than a guess.
UNKNOWN_WORDS_TEMPERATURE_FACTOR = 4.0
# A caption with this share of known words or less weighs as much less. Of the course's captions, held out, one in
# twenty has; the text model is right on 75 % of those, on 87 % of the others (docs/captions.md).
FEW_KNOWN_WORDS = 0.5


@dataclass(frozen=True)
class Thresholds:
    """What decides between a bin shown as certain and one that a person must look at.

    Raises ValueError for a number outside 0 to 1.
    """

    # Less confident than this asks for a review. At a calibrated 0.80 one of five such answers is wrong.
    review: float = 0.80
    # When the models name different bins, the winner must lead by this much, or a person looks.
    disagreement: float = 0.20
    # From here on the screen says "sure"; from `review` on it says "probably".
    sure: float = 0.90

    def __post_init__(self) -> None:
        for name in ("review", "disagreement", "sure"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"the threshold {name!r} is {value}: it must be from 0 to 1")

    def certainty(self, confidence: float, review: bool) -> Certainty:
        """The word for an answer: whatever asks for a review is "check", however confident it is."""
        if review or confidence < self.review:
            return "check"
        return "sure" if confidence >= self.sure else "probably"
