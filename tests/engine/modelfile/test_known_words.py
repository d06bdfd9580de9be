"""Which words a text model knows: those it learned, and what is close to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.archive import unzip_model, zip_model
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.known_words import (
    WORDS_FILE,
    KnownWords,
    load_known_words,
    save_known_words,
    words_of,
)

LEARNED = KnownWords(
    words_of(["glass jar", "toothpaste tube", "battery", "brush", "chop", "plastic bottle", "toy"])
)


@pytest.mark.parametrize(
    "word",
    [
        "jar", "jars", "batteries", "brushes", "chopping", "brushed", "toys",  # forms
        "tootpaste", "toothpatse", "plastik", "botle", "bottlle",  # typing errors
        "glassjar", "toybrush",  # two words in one
    ],
)  # fmt: skip
def test_what_is_close_to_a_learned_word_is_known(word: str) -> None:
    assert LEARNED.knows(word)


@pytest.mark.parametrize(
    "word", ["souris", "asdfgh", "bouteille", "flasche", "xar", "tar", "tooth", "tie", "zahnpasta"]
)
def test_other_words_are_not_known_though_the_vocabulary_has_pieces_for_them(word: str) -> None:
    assert not LEARNED.knows(word)


def test_the_share_and_the_unknown_words_of_a_caption() -> None:
    assert LEARNED.known_share("jar of glass") == (1.0, ())
    assert LEARNED.known_share("jar bouteille") == (0.5, ("bouteille",))
    assert LEARNED.known_share("souris souris") == (0.0, ("souris",))
    assert LEARNED.known_share("of a") == (1.0, ())
    assert LEARNED.known_share("") == (1.0, ())


def test_the_starter_knows_what_it_learned_and_no_other_language(starter_text: Path) -> None:
    knowledge = open_backend("text", starter_text, "cpu").knowledge(
        ["banana peel", "tootpaste", "nectarine", "souris dordinateur", "asdfgh", "leere flasche"]
    )
    assert knowledge.shares.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert knowledge.unknown[3] == ("souris", "dordinateur")


def test_words_are_kept_beside_the_weights_and_travel_with_the_model(
    tmp_path: Path, starter_text: Path
) -> None:
    info = load_info(starter_text)
    save_known_words(["jar", "glass"], tmp_path, info.weights_sha256, ["beaker"])
    back = load_known_words(tmp_path, info)
    assert back is not None
    assert (back.words, back.close) == ({"jar", "glass"}, {"beaker"})
    assert back.knows("beakers")
    assert not back.knows("beakr")
    assert load_known_words(tmp_path, replace(info, weights_sha256="0" * 64)) is None
    (tmp_path / WORDS_FILE).write_text("gcdesk words\nbanana peel\n")
    with pytest.raises(ModelFileError, match="damaged"):
        load_known_words(tmp_path, info)
    archive = zip_model(starter_text, tmp_path / "made.gcmodel.zip")
    unpacked = unzip_model(archive, tmp_path / "back.gcmodel")
    assert (unpacked / WORDS_FILE).read_bytes() == (starter_text / WORDS_FILE).read_bytes()
    library = Library(tmp_path / "library")
    installed = library.import_model(archive, "copied")
    assert load_known_words(installed.folder, load_info(installed.folder)) is not None


def test_a_model_without_the_list_knows_words_as_its_vocabulary_does(
    tmp_path: Path, starter_text: Path
) -> None:
    unpacked = unzip_model(zip_model(starter_text, tmp_path / "a.gcmodel.zip"), tmp_path / "a.gcmodel")
    (unpacked / WORDS_FILE).unlink()
    knowledge = open_backend("text", unpacked, "cpu").knowledge(["souris dordinateur", "xqzjw"])
    assert knowledge.shares.tolist() == [1.0, 0.0]
    assert knowledge.unknown == ((), ())
