"""What stands within quotes comes in as it is, also in files of which the engine reads several parts at once."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from hdh_assets.core.descriptor import Dataset
from tests.integration.intake_world import World, cut, dataset, refused, text


def notes(names: str = "ABC") -> Dataset:
    columns = [{"name": name, "type": "string(80)", "description": text(name)} for name in names]
    table = {"name": "NOTES", "title": text("Notes"), "description": text("One row per note"), "columns": columns}
    return dataset(format={"delimiter": ",", "quote": '"'}, tables=[table])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path, notes())


def written(row: list[str], ending: str = "\n") -> str:
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator=ending).writerow(row)
    return sink.getvalue()


def test_lines_within_quotes_are_no_rows_though_from_quote_to_quote_they_could_be(world: World) -> None:
    row = [",a,", "x", "\n"]
    line = written(row)
    count = 17_000_000 // len(line)
    world.drop({"NOTES.csv": "A,B,C\n" + line * count})
    (receipt,) = world.tick()
    assert (receipt.status, receipt.row_count) == ("accepted", count), receipt.problems
    assert world.rows("SELECT a, b, c, count(*) FROM lake.care.notes GROUP BY ALL") == [(*row, count)]


@pytest.mark.parametrize("body", ['"x"\n""', 'x\n""\n', '""\nx', '"x"\r\n""'])
def test_nothing_within_quotes_is_a_row_of_one_column(tmp_path: Path, body: str) -> None:
    world = World.create(tmp_path, notes("A"))
    world.drop({"NOTES.csv": ("A\r\n" if "\r" in body else "A\n") + body})
    (receipt,) = world.tick()
    assert (receipt.status, receipt.row_count) == ("accepted", 2), receipt.problems
    assert world.rows("SELECT a FROM lake.care.notes ORDER BY ALL") == [("x",), (None,)]


def test_every_kind_of_quoted_text_comes_in_as_it_was_written(world: World) -> None:
    texts = ['"', '""', ",", "\n", "\r\n", "\r", "n", "d,d", 'say "n",\r\n', " x ", "é\n"]
    rows = [[str(number), value, texts[number - 1]] for number, value in enumerate(texts)]
    content = "".join(written(row, "\r\n") for row in [list("ABC"), ["plain", "a", "b"], *rows])
    world.drop({"NOTES.csv": content})
    (receipt,) = world.tick()
    assert receipt.status == "accepted", receipt.problems
    found = world.rows("SELECT a, b, c FROM lake.care.notes WHERE a <> 'plain' ORDER BY a::INTEGER")
    assert [list(row) for row in found] == rows


def test_a_ragged_row_is_told_with_its_line_before_and_after_a_quoted_line(world: World) -> None:
    # of blocks without quotes the gates count delimiters only: the engine finds the row, by its number
    plain = "a,b,c\n" * 700_000
    for content, line in [
        (plain + "a\na,b,c,d,e\n" + '"a\n",b,c\n', 700_002),
        ('"a,",b,c\n' + plain + "a\na,b,c,d,e\n" + plain, 700_003),
    ]:
        folder = world.drop({"NOTES.csv": "A,B,C\na,b,c\n"})
        cut(folder, "NOTES.csv", f"A,B,C\n{content}".encode())
        assert refused(world) == {"ragged_row": [("NOTES.csv", line)]}
