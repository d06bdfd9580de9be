"""Caption tables, as people and spreadsheets write them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gcdesk.engine.captions.caption_table import CaptionTable, read_caption_csv
from gcdesk.engine.captions.table_fit import fit_note
from gcdesk.engine.errors import CaptionFileError
from gcdesk.engine.tables.writer import CsvTable


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "captions.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table_of(folder: Path, content: str | bytes) -> CaptionTable:
    return read_caption_csv(written(folder, content))


@pytest.mark.parametrize("file_column", ["path", "file", "filename", "File", " FILENAME "])
@pytest.mark.parametrize("caption_column", ["caption", "text", "Caption"])
def test_column_names(tmp_path: Path, file_column: str, caption_column: str) -> None:
    table = table_of(tmp_path, f"number,{caption_column},{file_column}\n1,orange peel,IMG_1.jpg\n")
    assert table.get(tmp_path / "IMG_1.jpg") == "orange peel"
    assert len(table) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_spreadsheets_write(tmp_path: Path, delimiter: str, mark: bytes, line_end: str) -> None:
    lines = ["file;caption", 'a.jpg;"cup; with, lid"', "b.jpg;café 🍌", ";", ""]
    lines = [line.replace(";", delimiter) if '"' not in line else line for line in lines]
    lines[1] = f'a.jpg{delimiter}"cup; with, lid"'
    table = table_of(tmp_path, mark + line_end.join(lines).encode())
    assert table.get("a.jpg") == "cup; with, lid"
    assert table.get("b.jpg") == "café 🍌"


def test_an_empty_caption_says_that_there_are_no_words(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file,text\nbanana.jpg,\nb.jpg\n")
    assert table.get("banana.jpg") == ""
    assert table.get("b.jpg") == ""
    assert table.get("c.jpg") is None


def test_matching_by_full_path_then_relative_path_then_name(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    table = table_of(
        tmp_path,
        f"file,text\n{photos}/Blue/can.jpg,by full path\nBlue/can.jpg,by its end\n"
        "photos/Black/can.jpg,from the table's folder\ncan.jpg,by name\n",
    )
    assert table.get(photos / "Blue" / "can.jpg") == "by full path"
    assert table.get("/elsewhere/Blue/can.jpg") == "by its end"
    assert table.get(photos / "Black" / "can.jpg") == "from the table's folder"
    assert table.get(photos / "Green" / "can.jpg") == "by name"
    assert table.get("/elsewhere/can.jpg") == "by name"


def test_the_longest_end_of_the_path_counts(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file,text\nb/can.jpg,short\na/b/can.jpg,long\n")
    assert table.get("/x/a/b/can.jpg") == "long"
    assert table.get("/x/c/b/can.jpg") == "short"


def test_a_caption_never_goes_to_another_folders_photo_of_the_same_name(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file,text\nmonday/IMG_1.jpg,orange peel\n")
    assert table.get(tmp_path / "monday" / "IMG_1.jpg") == "orange peel"
    assert table.get(tmp_path / "tuesday" / "IMG_1.jpg") is None
    assert table.get(tmp_path / "IMG_1.jpg") is None


def test_relative_photo_paths_and_entries_with_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables").mkdir()
    table = table_of(tmp_path / "tables", "file,text\n./a.jpg,one\n../photos/b.jpg,two\n")
    monkeypatch.chdir(tmp_path)
    assert table.get("a.jpg") == "one"
    assert table.get(Path("photos") / "b.jpg") == "two"
    assert table.get(tmp_path / "other" / "b.jpg") is None


def test_windows_separators(tmp_path: Path) -> None:
    table = table_of(tmp_path, "path,text\nBlue\\can.jpg,can\nC:\\Users\\x\\cup.jpg,cup\n")
    assert table.get("/x/Blue/can.jpg") == "can"
    assert table.get("/x/cup.jpg") is None


def test_accents_match_however_the_file_system_writes_them(tmp_path: Path) -> None:
    name = "café.jpg"
    table = table_of(tmp_path, f"file,text\n{unicodedata.normalize('NFD', name)},cup\nعلبة.jpg,can\n")
    assert table.get(unicodedata.normalize("NFC", name)) == "cup"
    assert table.get(unicodedata.normalize("NFD", name)) == "cup"
    assert table.get("/photos/علبة.jpg") == "can"


def test_capitals_matter_only_where_they_tell_files_apart(tmp_path: Path) -> None:
    table = table_of(tmp_path, "file,text\nimg_1.jpg,cup\na.jpg,small\nA.JPG,big\n")
    assert table.get("IMG_1.JPG") == "cup"
    assert (table.get("a.jpg"), table.get("A.JPG"), table.get("A.jpg")) == ("small", "big", None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        ("name,words\na.jpg,cup\n", ["'name'", "'words'", "caption or text"]),
        ("file,bin\na.jpg,Blue\n", ["'file'", "'bin'"]),
        ("a.jpg,cup\n", ["'a.jpg'"]),
        ("file,text\na.jpg,cup, with lid\n", ["line 2", "double quotes"]),
        ("file,text\n,cup\n", ["line 2", "no file", "'cup'"]),
        ('file,text\na.jpg,"cup\n', ["not a CSV"]),
        ("file,text\ncaf\xe9.jpg,cup\n".encode("latin-1"), ["UTF-8"]),
        (b"PK\x03\x04 xl/workbook.xml", ["spreadsheet", "CSV UTF-8"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ["older Excel", "CSV UTF-8"]),
        (b"\x00\x01\x02" * 100, ["'\\x00\\x01"]),
    ],
)
def test_what_is_no_caption_table_is_refused(tmp_path: Path, content: str | bytes, words: list[str]) -> None:
    with pytest.raises(CaptionFileError) as refused:
        table_of(tmp_path, content)
    assert all(word in str(refused.value) for word in ["captions.csv", *words])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("again", ["a.jpg", "./a.jpg", ".\\a.jpg"])
def test_the_same_file_twice(tmp_path: Path, again: str) -> None:
    with pytest.raises(CaptionFileError, match=r"a\.jpg.*'cup' in line 2.*'can' in line 4"):
        table_of(tmp_path, f"file,text\na.jpg,cup\nb.jpg,lid\n{again},can\n")
    assert table_of(tmp_path, f"file,text\na.jpg,cup\n{again},cup\n").get("a.jpg") == "cup"


def test_files_that_are_not_there_or_may_not_be_read(
    tmp_path: Path, open_folder: Path, another_user: Callable[[], AbstractContextManager[None]]
) -> None:
    with pytest.raises(CaptionFileError, match="no file"):
        read_caption_csv(tmp_path / "gone.csv")
    with pytest.raises(CaptionFileError, match="no ordinary file"):
        read_caption_csv(tmp_path)
    path = written(open_folder, "file,text\na.jpg,cup\n")
    path.chmod(0)
    with another_user(), pytest.raises(CaptionFileError, match="Permission denied"):
        read_caption_csv(path)


def test_a_table_of_a_large_folder_is_quick(tmp_path: Path) -> None:
    lines = "".join(f"sub/IMG_{i}.jpg,peel {i}\n" for i in range(100_000))
    table = table_of(tmp_path, "file,text\n" + lines)
    assert table.get(os.path.join(tmp_path, "sub", "IMG_99999.jpg")) == "peel 99999"


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n"])
def test_excels_line_about_the_separator_is_skipped_and_counted(tmp_path: Path, line: str) -> None:
    assert table_of(tmp_path, f"{line}file;text\r\na.jpg;jar, glass\r\n").get("a.jpg") == "jar, glass"
    with pytest.raises(CaptionFileError, match="line 4"):
        table_of(tmp_path, f"{line}file;text\na.jpg;jar\nb.jpg;a;b\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_of_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    table = table_of(tmp_path, "file\ttext\na.jpg\tépluchure\n".encode(encoding))
    assert table.get("a.jpg") == "épluchure"


def test_captions_of_our_own_table_come_back_as_they_were(tmp_path: Path) -> None:
    captions = ["=2+2 cans", "-glass jar", "'quoted' jar", "'=odd", "''-odder", "@home", "kid's toy", "plain"]
    with (tmp_path / "rows.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        table = CsvTable(stream, ("path", "caption"))
        for number, caption in enumerate(captions):
            table.write({"path": f"{number}.jpg", "caption": caption})
    read = read_caption_csv(tmp_path / "rows.csv")
    assert [read.get(f"{number}.jpg") for number in range(len(captions))] == captions
    assert "\n1.jpg,'-glass jar" in (tmp_path / "rows.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("entry", "photo", "words"),
    [
        ("IMG_0001", "IMG_0001.JPG", "endings differ, 'IMG_0001' in the table is 'IMG_0001.JPG'"),
        ("IMG_0001.heic", "IMG_0001.JPG", "endings differ"),
        (
            "C:\\Users\\x\\IMG_0001.JPG",
            "IMG_0001.JPG",
            "folders are others, such as in 'C:/Users/x/IMG_0001.JPG'",
        ),
        ("/home/x/IMG_0001.jpg", "IMG_0001.JPG", "folders are others"),
        ("MÃ¼ll.jpg", "Müll.jpg", "'MÃ¼ll.jpg' is 'Müll.jpg' in a wrong encoding"),
        ("M\ufffdll.jpg", "Müll.jpg", "letters of their names are lost"),
        (
            "cat.jpg",
            "dog.jpg",
            "no name is alike, the first is 'cat.jpg' in the table and 'dog.jpg' in the folder",
        ),
    ],
)
def test_a_table_that_names_no_photo_says_the_likely_reason(
    tmp_path: Path, entry: str, photo: str, words: str
) -> None:
    table = table_of(tmp_path, f"file,text\n{entry},cup\n")
    assert table.find(tmp_path / "photos" / photo) is None
    note = fit_note("captions.csv", table, 0, [tmp_path / "photos" / photo])
    assert note.startswith("0 of 1 entries of captions.csv fit a photo: ")
    assert words in note
    assert fit_note("captions.csv", table, 1, [tmp_path / photo]) == ""
