"""What a caption completes to."""

from __future__ import annotations

from pathlib import Path

from gcdesk.ui.window.list.caption_completer import Phrases, read_phrases

REPOSITORY = Path(__file__).resolve().parents[4]


def test_past_captions_come_before_the_cities_phrases() -> None:
    phrases = Phrases(["coffee cup", "coffee filter", "cup holder", "paper coffee cup"])
    phrases.remember("Coffee tin with lid")
    assert phrases.suggest("cof") == [
        "coffee tin with lid",
        "coffee cup",
        "coffee filter",
        "paper coffee cup",
    ]


def test_nothing_typed_suggests_nothing_and_a_whole_phrase_not_itself() -> None:
    phrases = Phrases(["coffee cup"])
    assert phrases.suggest("  ") == []
    assert phrases.suggest("coffee cup") == []
    assert phrases.suggest("xyz") == []


def test_the_latest_of_the_past_comes_first_and_the_list_is_short() -> None:
    phrases = Phrases([f"bag {i}" for i in range(50)])
    phrases.remember("bag of chips")
    phrases.remember("bag of ice")
    phrases.remember("bag of chips")
    found = phrases.suggest("bag")
    assert found[:2] == ["bag of chips", "bag of ice"]
    assert len(found) == 6


def test_the_bundled_phrases_are_there_and_credited() -> None:
    file = REPOSITORY / "resources" / "phrases.txt"
    phrases = read_phrases(file)
    assert len(phrases) > 3000
    assert "aaa battery" in phrases
    head = file.read_text(encoding="utf-8")[:400]
    assert "Toronto" in head
    assert "Calgary" in head
    assert read_phrases(file.with_name("missing.txt")) == []
