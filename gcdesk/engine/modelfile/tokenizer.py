"""Captions to token ids: BERT's uncased word pieces, through the `tokenizers` library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gcdesk.config.resources import resource_path
from gcdesk.config.thresholds import MODEL_TOKENIZER_MAX_BYTES
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.modelfile.specs import TextArchitecture

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Letters up to here are Latin ones, with or without accents.
_LATIN = 0x24F
# Real words that the vocabulary lacks fall into larger pieces: `gravy` is gr av y, `styrofoam` sty ro fo am.
_LETTERS_A_PIECE = 1.6
# Of a BERT's normalizer, pre_tokenizer and post_processor: three at most. Its "##", and its added tokens: five.
_MAX_PARTS = 16
_MAX_PREFIX = 16
_MAX_ADDED = 10_000
_PARTS: dict[str, tuple[object, ...]] = {
    "model": ("WordPiece",),
    "normalizer": ("BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Strip", "StripAccents"),
    "pre_tokenizer": ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Punctuation"),
    "post_processor": ("BertProcessing", "TemplateProcessing"),
}


class CaptionTokenizer:
    """Turns captions into ids that begin with [CLS] and end with [SEP]. Holds no state between calls."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        # all-MiniLM's file pads every caption to 128 tokens: lengths are ours to choose.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        pad = tokenizer.token_to_id("[PAD]")
        with _panics_in_words():
            if pad is None or len(tokenizer.encode("").ids) != 2:
                raise ModelFileError("the tokenizer is not a BERT one: it lacks [PAD], [CLS] or [SEP].")
        self.pad_id: int = pad

    @property
    def vocab_size(self) -> int:
        """How many ids a model must know: the highest one, of added tokens and of [CLS] and [SEP] too, and one."""
        with _panics_in_words():
            frame = self._tokenizer.encode("").ids
        return 1 + max([*self._tokenizer.get_vocab(with_added_tokens=True).values(), self.pad_id, *frame])

    def encode(self, captions: Sequence[str], max_tokens: int) -> list[list[int]]:
        """Return each caption's ids, at most `max_tokens` with [CLS] and [SEP]: longer ones are cut."""
        with _panics_in_words():
            encoded = [item.ids for item in self._tokenizer.encode_batch_fast(list(captions))]
        return [ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]] for ids in encoded]

    def unknown(self, captions: Sequence[str]) -> np.ndarray:
        """Whether a caption (n,) has words and the vocabulary knows none of them, so that its ids are noise.

        A word is unknown when it has letters of another script, or falls into three pieces or more of hardly more
        than a letter each (`xqzjw`, typed with an elbow). An empty caption is none of this: it has no words.
        """
        found = np.zeros(len(captions), dtype=bool)
        # Nearly every caption has a word that is a piece of its own: only the others are taken apart.
        places = [place for place, caption in enumerate(captions) if not self._has_whole_word(caption)]
        with _panics_in_words():
            all_encoded = self._tokenizer.encode_batch(
                [captions[place] for place in places], add_special_tokens=False
            )
        for place, encoded in zip(places, all_encoded, strict=True):
            words: dict[int, list[str]] = {}
            for word, piece in zip(encoded.word_ids, encoded.tokens, strict=True):
                words.setdefault(-1 if word is None else word, []).append(piece)
            lettered = [
                word for word in words.values() if any(map(str.isalpha, "".join(word).replace("##", "")))
            ]
            found[place] = bool(words) and not any(_is_known(word) for word in lettered)
        return found

    def _has_whole_word(self, caption: str) -> bool:
        """Whether the vocabulary holds one of the words, of plain letters, as it stands."""
        return any(
            word.isascii() and word.isalpha() and self._tokenizer.token_to_id(word) is not None
            for word in caption.split()
        )

    def pad(self, encoded: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
        """Return int64 ids (n, t) and their 0/1 mask (n, t), t being the longest of the batch."""
        lengths = np.array([len(ids) for ids in encoded])
        mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
        padded = np.full(mask.shape, self.pad_id, np.int64)
        padded[mask] = np.concatenate([np.asarray(ids, np.int64) for ids in encoded]) if len(encoded) else []
        return padded, mask.astype(np.int64)


def _is_known(pieces: Sequence[str]) -> bool:
    """Whether the pieces of one word can mean anything to an English model."""
    bare = [piece.removeprefix("##") for piece in pieces]
    if any(piece == "[UNK]" or any(ord(letter) > _LATIN for letter in piece) for piece in bare):
        return False
    return len(bare) < 3 or sum(map(len, bare)) >= _LETTERS_A_PIECE * len(bare)


@contextmanager
def _panics_in_words() -> Iterator[None]:
    """The library is written in Rust: it raises a bare Exception, and where it gives up, not even that."""
    try:
        yield
    except BaseException as error:
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise ModelFileError(f"the tokenizer does not work: {error}.") from error


def _check_parts(path: Path, data: bytes) -> None:
    """Raise ModelFileError for parts that a BERT tokenizer does not have: some run any pattern for any time."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is not a tokenizer: {error}") from error
    if not isinstance(content, dict):
        raise ModelFileError(f"{path} is not a tokenizer: it holds no object.")
    _check_sizes(path, content)
    for part, known in _PARTS.items():
        for number, kind in enumerate(_kinds(content.get(part))):
            if number >= _MAX_PARTS:
                raise ModelFileError(
                    f"{path} is not a BERT tokenizer: its {part} has more than {_MAX_PARTS} parts."
                )
            if kind not in known:
                raise ModelFileError(f"{path} is not a BERT tokenizer: its {part} is {str(kind)[:60]!r}.")


def _check_sizes(path: Path, content: Mapping[str, object]) -> None:
    """Raise ModelFileError for what would be gone through at every word of every caption."""
    model, frame = content.get("model"), content.get("post_processor")
    prefix = model.get("continuing_subword_prefix", "##") if isinstance(model, dict) else "##"
    if not isinstance(prefix, str) or len(prefix) > _MAX_PREFIX:
        raise ModelFileError(f"{path} is not a BERT tokenizer: what its pieces begin with is no short text.")
    added = content.get("added_tokens") or ()
    if not isinstance(added, Sequence) or len(added) > _MAX_ADDED:
        raise ModelFileError(f"{path} is not a BERT tokenizer: it has more than {_MAX_ADDED} added tokens.")
    for name in ("single", "pair", "special_tokens"):
        inner = frame.get(name) if isinstance(frame, dict) else None
        if isinstance(inner, Sequence | Mapping) and len(inner) > _MAX_PARTS:
            raise ModelFileError(
                f"{path} is not a BERT tokenizer: its frame has more than {_MAX_PARTS} parts."
            )


def _kinds(part: object) -> Iterator[object]:
    """The types of a part, and of what a sequence is made of."""
    if isinstance(part, dict):
        kind = part.get("type")
        if kind != "Sequence":
            yield kind
        for name in ("normalizers", "pretokenizers", "processors"):
            for inner in part.get(name) or ():
                yield inner.get("type") if isinstance(inner, dict) else inner


def shared_tokenizer() -> Path:
    """The starter model's vocabulary, which is that of all-MiniLM-L6-v2 and of distilbert-base-uncased."""
    return resource_path("models", "starter-text.gcmodel", "tokenizer.json")


def load_tokenizer(source: Path) -> CaptionTokenizer:
    """Open the `tokenizer.json` of a model folder (or the file itself). Raises ModelFileError."""
    # Only here: a model file is checked, and an image model trained, without this library.
    from tokenizers import Tokenizer

    path = source / "tokenizer.json" if source.is_dir() else source
    try:
        size = path.stat().st_size
        if size > MODEL_TOKENIZER_MAX_BYTES:
            raise ModelFileError(f"{path} is larger than {MODEL_TOKENIZER_MAX_BYTES // 1024**2} MB.")
        data = path.read_bytes()
        _check_parts(path, data)
        with _panics_in_words():
            tokenizer = Tokenizer.from_buffer(data)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ModelFileError(f"{path} is not a tokenizer: {error}") from error
    return CaptionTokenizer(tokenizer)


def load_model_tokenizer(model: LoadedModel) -> CaptionTokenizer:
    """Open a text model's tokenizer. Raises ModelFileError, also when it has more ids than the model."""
    tokenizer = load_tokenizer(model.folder)
    architecture = model.info.architecture
    if not isinstance(architecture, TextArchitecture) or tokenizer.vocab_size > architecture.vocab_size:
        raise ModelFileError(
            f"{model.folder.name}: the tokenizer gives ids up to {tokenizer.vocab_size - 1:,}, which the model lacks."
        )
    return tokenizer
