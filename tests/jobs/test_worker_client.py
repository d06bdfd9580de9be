"""A client with a real worker: answers, order, captions in mid-batch, cancel, pause, pictures, bad files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from client_kit import Listener, copies
from PIL import Image

from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.library.library import Library
from gcdesk.jobs.worker_client import WorkerClient
from gcdesk.worker.protocol.messages import Priority

Listen = Callable[..., Listener]


@pytest.fixture
def up(listen: Listen) -> Iterator[Listener]:
    """A client whose worker is ready."""
    listener = listen()
    listener.start_and_wait()
    return listener


def of(files: list[Path]) -> list[tuple[int, str, str | None]]:
    return [(number, str(file), None) for number, file in enumerate(files)]


def test_every_photo_is_answered_once_and_as_the_engine_does(up: Listener, sample_files: list[Path]) -> None:
    assert up.states == ["starting", "ready"]
    assert up.ready[0].image_model == "starter-image"
    assert up.ready[0].device.startswith("CPU")
    up.client.classify(of(sample_files))
    assert up.client.waiting == len(sample_files)
    up.wait(lambda: up.client.waiting == 0)
    assert set(up.times_answered().values()) == {1}
    assert sorted(up.begun) == list(range(len(sample_files)))
    library = Library()
    engine = Classifier(
        open_backend("image", library.resolve("image"), "cpu"),
        open_backend("text", library.resolve("text"), "cpu"),
    )
    expected = list(engine.classify(Item(file) for file in sample_files))
    for mine, theirs in zip(sorted(up.results, key=lambda one: one.id), expected, strict=True):
        assert (mine.label, mine.winner, mine.reason) == (theirs.label, theirs.winner, theirs.reason)
        assert mine.image is not None
        assert theirs.image is not None
        np.testing.assert_allclose(mine.image.probabilities, theirs.image.probabilities, atol=1e-5)
        assert mine.thumbnail is not None
        with Image.open(mine.thumbnail) as thumbnail, Image.open(sample_files[mine.id]) as photo:
            assert max(thumbnail.size) == 160
            assert (mine.width, mine.height) == photo.size


def test_an_edited_caption_is_answered_in_mid_batch(
    up: Listener, sample_files: list[Path], tmp_path: Path
) -> None:
    up.client.classify(copies(tmp_path / "photos", sample_files, 150))
    up.wait(lambda: len(up.results) >= 10)
    first = up.results[0]
    assert first.image is not None
    meanwhile = []  # a clock would measure the other programs on this machine as well
    for fruit in ("apple", "pear", "plum", "banana", "orange"):
        before = len(up.results)
        up.client.rescore(first.id, f"{fruit} peel")
        up.wait(lambda before=before: any(one.id == first.id for one in up.results[before:]))
        meanwhile.append(len(up.results) - before - 1)
    assert up.client.waiting > 0
    assert sorted(meanwhile)[2] <= 12
    answers = [one for one in up.results if one.id == first.id]
    assert answers[-1].image is not None
    assert answers[-1].image.probabilities == first.image.probabilities  # remembered by the worker
    assert answers[-1].text is not None
    assert answers[-1].text.label == "Green"
    up.client.rescore(first.id, "")
    up.wait(lambda: any(one.id == first.id and one.text is None for one in up.results))
    assert next(one for one in reversed(up.results) if one.id == first.id).winner == "image"
    up.client.cancel(None)


def test_a_new_worker_combines_a_caption_with_stored_probabilities(
    up: Listener, sample_files: list[Path]
) -> None:
    up.client.classify(of(sample_files[:1]))
    up.wait(lambda: bool(up.results))
    old = up.results[0]
    assert old.image is not None
    up.client.rescore(77, "banana peel", image_probabilities=old.image.probabilities)
    up.client.rescore(78, "banana peel", image_logits=old.image.logits)
    up.client.rescore(79, "banana peel", error="The photo is cut off.")
    up.wait(lambda: len(up.results) == 4)
    by_id = {one.id: one for one in up.results}
    assert by_id[77].image is not None
    assert by_id[77].image.probabilities == pytest.approx(old.image.probabilities, abs=1e-5)
    assert by_id[77].margin == pytest.approx(by_id[78].margin, abs=1e-5)
    assert by_id[79].image is None
    assert (by_id[79].error, by_id[79].review, by_id[79].label) == ("The photo is cut off.", True, "Green")


def test_cancel_stops_within_a_batch_and_the_next_photos_go_on(
    up: Listener, sample_files: list[Path], tmp_path: Path
) -> None:
    items = copies(tmp_path / "photos", sample_files, 100)
    up.client.classify(items)
    up.wait(lambda: len(up.results) >= 5)
    up.client.cancel(None)
    done = len(up.results)
    assert up.client.waiting == 0
    up.client.classify([(1000, items[0][1], "a cup")])
    up.wait(lambda: any(one.id == 1000 for one in up.results))
    assert len(up.results) == done + 1  # nothing that was cancelled came
    up.client.classify(items[:3])
    up.wait(lambda: up.client.waiting == 0)


def test_pause_holds_photos_and_not_captions(up: Listener, sample_files: list[Path], tmp_path: Path) -> None:
    up.client.classify(copies(tmp_path / "photos", sample_files, 60))
    up.wait(lambda: len(up.results) >= 3)
    up.client.pause()
    up.client.rescore(5000, "banana peel")
    up.wait(lambda: any(one.id == 5000 for one in up.results))
    held = len(up.results)
    ended = time.monotonic() + 0.5
    up.wait(lambda: time.monotonic() > ended)
    assert len(up.results) <= held + 4  # what the lanes had begun
    up.client.resume()
    up.wait(lambda: up.client.waiting == 0)
    assert set(up.times_answered().values()) == {1}


def test_urgent_photos_go_first(listen: Listen, sample_files: list[Path], tmp_path: Path) -> None:
    listener = listen()
    items = copies(tmp_path / "photos", sample_files, 70)
    listener.client.classify(items[:50])
    listener.client.classify(items[60:62], Priority.WATCHED)
    listener.client.classify(items[62:63], Priority.EDITED)
    listener.client.prioritise([45, 46], Priority.VISIBLE)
    listener.start(threads=1)
    listener.wait(lambda: len(listener.begun) >= 10)
    assert listener.begun[:8] == [61, 60, 62, 45, 46, 0, 1, 2]
    listener.client.prioritise([49], Priority.VISIBLE)
    listener.client.classify([(69, items[69][1], None)], Priority.WATCHED)
    mark = len(listener.begun)
    listener.wait(lambda: len(listener.begun) >= mark + 10)
    # What the worker had in hand comes first, and of that the window may not have read everything yet.
    assert {49, 69} <= set(listener.begun[mark : mark + 10])
    listener.client.cancel(None)


def test_a_caption_edited_while_its_photo_is_in_work(
    up: Listener, sample_files: list[Path], tmp_path: Path
) -> None:
    items = copies(tmp_path / "photos", sample_files, 12)
    up.client.classify(items)
    up.wait(lambda: bool(up.begun))
    for number, path, _ in items:
        up.client.classify([(number, path, "banana peel")], Priority.EDITED)
    before = {one.id for one in up.results}
    up.wait(lambda: up.client.waiting == 0)
    later = [one for one in up.results if one.id not in before]
    assert {one.text.label for one in later if one.text} == {"Green"}
    assert len(up.results) <= 12 + len(before)


def test_previews_and_heatmaps(up: Listener, sample_files: list[Path], tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    Image.new("RGB", (3000, 2000), "green").save(large)
    up.client.preview(1, str(large), 800)
    up.wait(lambda: bool(up.files))
    with Image.open(up.files[0][1]) as preview:
        assert (preview.format, preview.size) == ("JPEG", (800, 533))
    up.client.heatmap(2, str(sample_files[0]), "Blue")
    up.wait(lambda: len(up.files) == 2)
    with Image.open(up.files[1][1]) as heat, Image.open(sample_files[0]) as photo:
        assert heat.mode == "L"
        assert heat.width / heat.height == pytest.approx(photo.width / photo.height, rel=0.02)
        assert heat.getextrema()[1] > 200
    up.client.preview(3, str(tmp_path / "gone.jpg"), 800)
    up.client.heatmap(4, str(tmp_path / "gone.jpg"), "Blue")
    up.client.heatmap(5, str(sample_files[0]), "Purple")
    up.wait(lambda: len(up.failures) == 3)
    reasons = dict(up.failures)
    assert "no such file" in reasons[3]
    assert "no such file" in reasons[4]
    assert "Purple" in reasons[5]


def test_bad_files_have_their_reasons_and_the_rest_goes_on(
    up: Listener, sample_files: list[Path], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(sample_files[0].read_bytes()[:3000])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no photo")
    odd = tmp_path / "\u0642\u0647\u0648\u0629 \U0001f34c.jpg"
    odd.write_bytes(sample_files[1].read_bytes())
    bad = [cut, tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "gone.jpg", tmp_path]
    up.client.classify([(n, str(path), "" if n else "banana peel") for n, path in enumerate([*bad, odd])])
    up.wait(lambda: up.client.waiting == 0)
    by_id = {one.id: one for one in up.results}
    errors = [by_id[n].error or "" for n in range(6)]
    for error, word in zip(errors, ("cut off", "empty", "photo", "no such file", "folder", ""), strict=True):
        assert word in error
    assert errors[5] == ""
    assert (by_id[0].label, by_id[0].winner, by_id[0].review) == (
        "Green",
        "text",
        True,
    )  # by its caption alone
    assert by_id[3].label is None
    up.client.rescore(0, "coffee cup")
    up.wait(lambda: len(up.results) == 7)
    assert "cut off" in (up.results[-1].error or "")


def test_rule_and_models_can_be_changed(up: Listener, sample_files: list[Path]) -> None:
    up.client.configure(configuration_of_test(up, rule="mean", review_threshold=1.0))
    up.wait(lambda: len(up.ready) == 2)
    assert up.ready[1].rule == "mean"
    up.client.classify(of(sample_files[:1]))
    up.wait(lambda: bool(up.results))
    assert up.results[0].review
    up.client.configure(configuration_of_test(up, text_model="none"))
    up.wait(lambda: len(up.ready) == 3)
    up.client.classify([(1, str(sample_files[0]), "banana peel")])
    up.wait(lambda: len(up.results) == 2)
    assert up.results[1].text is None
    up.client.configure(configuration_of_test(up, image_model="gone", text_model="gone"))
    up.wait(lambda: bool(up.notices))
    assert "gone" in up.notices[0]
    up.client.classify([(2, str(sample_files[0]), None)])
    up.wait(lambda: len(up.results) == 3)  # with the models that were there
    assert not up.fatal


def configuration_of_test(listener: Listener, **changed: object) -> object:
    from client_kit import configuration

    return configuration(listener.pictures, **changed)


def test_a_model_that_is_missing_is_told_and_another_one_helps(
    listen: Listen, sample_files: list[Path]
) -> None:
    listener = listen()
    listener.start(image_model="gone", text_model="none")
    listener.client.classify(of(sample_files[:2]))
    listener.wait(lambda: bool(listener.fatal))
    assert "gone" in listener.fatal[0]
    assert listener.states == ["starting", "failed"]
    listener.client.configure(configuration_of_test(listener))  # type: ignore[arg-type]
    listener.wait(lambda: len(listener.results) == 2)
    assert listener.states == ["starting", "failed", "starting", "ready"]


def test_a_hundred_thousand_photos_are_handed_over_at_once(qapp: object) -> None:
    client = WorkerClient()
    items = [(number, f"/srv/camera/IMG_{number}.jpg", "") for number in range(100_000)]
    seconds = []
    for start in range(0, len(items), 1000):
        started = time.process_time()
        client.classify(items[start : start + 1000])
        seconds.append(time.process_time() - started)
    assert client.waiting == 100_000
    assert sorted(seconds)[-10] < 0.025  # now and then Python collects its garbage
    started = time.process_time()
    client.cancel(None)
    assert client.waiting == 0
    assert time.process_time() - started < 0.05
    client.close()
