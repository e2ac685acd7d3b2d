"""Deliveries meant to break the intake: each gets its refusal, and neither memory nor time grows with the malice."""

from __future__ import annotations

import gzip
import json
import os
import resource
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from intake_world import NIR, PERSONS, SEALED, VISITS, World, column, cut, dataset, refused, text
from pyarrow import parquet

from hdh_assets.sources.intake import run
from hdh_assets.sources.intake.seal import seal

HEADER = "NUM;PERSON;DAY;COST;NOTE\n"
GOOD = {"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


@pytest.mark.parametrize(
    ("period", "sealed_at", "rule"),
    [
        ("2024-01", "2999-01-01T00:00:00+00:00", "sealed_in_the_future"),
        ("2024-01", "9999-12-31T23:59:59-23:59", "manifest_malformed"),
        ("2024-01", "0001-01-01T00:00:00+23:59", "manifest_malformed"),
        ("2024-01", "2024-02-01T08:00:00", "manifest_malformed"),
        ("2999-01", "2024-02-01T08:00:00+00:00", "wrong_period"),
        ("1999-01", "2024-02-01T08:00:00+00:00", "wrong_period"),
    ],
)
def test_no_delivery_outranks_all_others_by_its_date(world: World, period: str, sealed_at: str, rule: str) -> None:
    world.drop(GOOD, period, sealed_at=sealed_at)
    assert list(refused(world)) == [rule]


def _hard_link(file: Path) -> None:
    os.link(file, file.parents[4] / "elsewhere")


def _socket(file: Path) -> None:
    file.unlink()
    place = os.open(file.parent, os.O_RDONLY)
    socket.socket(socket.AF_UNIX).bind(f"/proc/self/fd/{place}/{file.name}")
    os.close(place)


@pytest.mark.parametrize("change", [_hard_link, _socket])
def test_a_second_name_or_a_socket_is_not_a_plain_file(world: World, change: Callable[[Path], None]) -> None:
    change(world.drop(GOOD) / "VISITS.csv")
    assert refused(world) == {"not_a_plain_file": [("VISITS.csv", None)]}


def test_a_link_in_place_of_the_folder_is_refused_and_not_followed(world: World, tmp_path: Path) -> None:
    folder = world.drop(GOOD)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    (receipt,) = world.tick()
    assert [problem.rule for problem in receipt.problems] == ["manifest_not_a_file"]
    assert (tmp_path / "elsewhere" / "VISITS.csv").exists()
    assert not folder.is_symlink()


@pytest.mark.parametrize("name", [b"h\xf4pital", "a\nb \U0001f984 |`".encode(), b"x" * 250])
def test_a_folder_of_any_name_is_answered(world: World, name: bytes) -> None:
    folder = world.drop(GOOD)
    folder.rename(folder.parent / os.fsdecode(name))
    assert set(refused(world)) == {"wrong_place"}


def measured(world: World) -> tuple[dict[str, Any], float, int]:
    """The refusal, seconds, and mebibytes by which the peak of memory grew."""
    peak, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    found = refused(world)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    return found, time.monotonic() - start, grown // 1024


def _many_columns(folder: Path) -> None:
    cut(folder, "VISITS.csv", b";".join([b"NUM", *[b"a"] * 600_000]) + b"\n")


def _one_column_over_and_over(folder: Path) -> None:
    cut(folder, "VISITS.csv", b";".join([b"NUM"] * 400_000) + b"\n")


def _many_files(folder: Path) -> None:
    for number in range(5000):
        (folder / f"x{number}").touch()


def _many_announced(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] += [manifest["files"][0] | {"name": f"X{number}.csv"} for number in range(9000)]
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_many_columns, "unknown_column"),
        (_one_column_over_and_over, "duplicate_column"),
        (_many_files, "surplus_file"),
        (_many_announced, "unknown_table"),
    ],
)
def test_a_refusal_has_an_end(world: World, change: Callable[[Path], None], rule: str) -> None:
    change(world.drop(GOOD))
    found, seconds, grown = measured(world)
    assert rule in found
    assert sum(map(len, found.values())) <= 101
    assert seconds < 30
    assert grown < 700


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"x" * 30_000_000, "line_too_long"),
        (HEADER.encode() + b'1;p1;;;"' + b"\n" * 5_000_000 + b'"\n', "line_too_long"),
        (HEADER.encode() + b'1;p1;;;"' + (b"x" * 988 + b"\n") * 42_000 + b'"\n', "line_too_long"),
        (HEADER.encode() + b'1;p1;;;"' + (b"x" * 988 + b"\n") * 42_000, "unclosed_quote"),
        (VISITS.encode("utf-16"), "encoding"),
        (VISITS.encode("utf-16-le"), "nul_byte"),
        (VISITS.encode().replace(b";a\n", b";\xc0\xaf\n"), "encoding"),
        (VISITS.encode().replace(b";a\n", b";\xed\xa0\x80\n"), "encoding"),
        (VISITS.encode() + b"\x1a", "ragged_row"),
        (b"sep=;\n" + VISITS.encode(), "header"),
    ],
)
def test_bytes_that_readers_forgive_are_refused(world: World, content: bytes, rule: str) -> None:
    cut(world.drop(GOOD), "VISITS.csv", content)
    ((name, line), *_) = refused(world)[rule]
    assert (name, line is not None) == ("VISITS.csv", True)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(VISITS.encode(), mtime=0) + b"garbage",
        gzip.compress(VISITS.encode(), mtime=0)[:-8] + bytes(8),
        gzip.compress(VISITS.encode(), mtime=0)[:7],
        VISITS.encode(),
    ],
)
def test_damaged_gzip_is_refused_with_the_line_it_was_readable_to(world: World, content: bytes) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv.gz": gzip.compress(VISITS.encode())})
    cut(folder, "VISITS.csv.gz", content)
    ((name, line),) = refused(world)["gzip_damaged"]
    assert (name, line in {1, 5}) == ("VISITS.csv.gz", True)


def test_a_bomb_inside_a_bomb_is_never_unpacked(world: World) -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000), 1), 1)
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv.gz": gzip.compress(VISITS.encode())})
    cut(folder, "VISITS.csv.gz", bomb)
    found, _, grown = measured(world)
    assert list(found) == ["encoding"]
    assert grown < 300


def test_the_line_of_a_ragged_row_is_found_far_into_the_file(world: World) -> None:
    rows = "".join(f'{number};p1;;;"a\n"\n' for number in range(1, 120_001))
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": f"{HEADER}{rows}x;p1;;;;\n"})
    assert refused(world) == {"ragged_row": [("VISITS.csv", 240_002)]}


NUMBERS = ["1e400", "inf", "NaN", "\u0663", "0x10", "1_000", "1 000", "1.000,5", "1\u00a0000", "--1", "9" * 400]
DATES = ["29/02/2023", "31/04/2024", "00/00/0000", "01/01/0001", "1/2/2024", "01/13/2024", " 01/02/2024", "infinity"]


@pytest.mark.parametrize(("good", "bad"), [("12,50", n) for n in NUMBERS] + [("31/01/2024", d) for d in DATES])
def test_values_that_engines_guess_at_reject_their_row(world: World, good: str, bad: str) -> None:
    receipt = world.deliver(VISITS.replace(good, bad))
    assert [(p.rule, p.line) for p in receipt.problems] == [("type", 2)]
    assert [row[0] for row in world.visits()] == [2, 3]


def as_parquet(content: dict[str, Any], **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(content), sink, **options)
    return bytes(sink.getvalue().to_pybytes())


def deliver_parquet(root: Path, visits: bytes, rows: int = 2) -> World:
    world = World.create(root, dataset(format={"kind": "parquet"}))
    persons = as_parquet({"ID": ["p1", "p2"], "NIR": [NIR, None], "NAME": ["x", "y"], "SEX": ["1", "2"]})
    folder = world.drop({"PERSONS.parquet": persons, "VISITS.parquet": as_parquet(visit())})
    cut(folder, "VISITS.parquet", visits, rows)
    return world


def visit(**changes: Any) -> dict[str, Any]:
    return {"NUM": [1, 2], "PERSON": ["p1", "p2"], "DAY": pa.nulls(2), "COST": ["1.5", None]} | changes


WHOLE = as_parquet(visit())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"PARX" + WHOLE[4:],
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:-8] + b"\xff\xff\xff\xff" + b"PAR1",
        WHOLE[:-4] + b"PARE",
    ],
    ids=["empty", "magic", "head", "cut", "footer", "encrypted"],
)
def test_parquet_that_is_not_whole_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refused(deliver_parquet(tmp_path, content)) == {"parquet_damaged": [("VISITS.parquet", None)]}


@pytest.mark.parametrize(
    ("changes", "column", "position"),
    [
        ({"COST": pa.array([[1], [2]])}, "COST", 4),
        ({"remark": pa.array([{"NIR": NIR}, None])}, "NOTE", 5),
        ({NIR: pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int32()))}, None, 5),
    ],
    ids=["list", "struct under an alias", "map not declared"],
)
def test_a_column_of_nested_values_is_told(
    tmp_path: Path, changes: dict[str, Any], column: str | None, position: int
) -> None:
    (receipt,) = deliver_parquet(tmp_path, as_parquet(visit(**changes))).tick()
    ((problem),) = receipt.problems
    assert (problem.rule, problem.file, problem.column) == ("column_type", "VISITS.parquet", column)
    assert f"at position {position} " in problem.found.en
    assert NIR not in receipt.to_json()


def test_a_parquet_bomb_dies_in_its_own_process(tmp_path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 6000, pa.int32()), pa.array(["x" * 1_000_000]))
    bomb = as_parquet(
        {"NUM": range(6000), "PERSON": ["p1"] * 6000, "DAY": pa.nulls(6000), "COST": pa.nulls(6000), "NOTE": text},
        compression="zstd",
    )
    world = deliver_parquet(tmp_path, bomb, 6000)
    found, _, grown = measured(world)
    assert list(found) == ["parquet_too_costly"]
    assert grown < 300


def test_an_hour_in_a_column_of_days_is_not_cut_off(tmp_path: Path) -> None:
    day = pa.array([86_400_000_000, 86_400_000_001], pa.timestamp("us"))
    world = deliver_parquet(tmp_path, as_parquet(visit(DAY=day)))
    (receipt,) = world.tick()
    assert [(p.rule, p.column, p.line) for p in receipt.problems] == [("type", "DAY", 3)]
    assert [str(row[2]) for row in world.visits()] == ["1970-01-02"]


@pytest.mark.parametrize("is_refused", [False, True])
def test_what_a_producer_puts_in_the_place_of_a_delivery_being_taken_in_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    folder = world.drop(GOOD | ({"VISITS.csv": VISITS.replace(";b", ";\0")} if is_refused else {}))

    def correct(point: str) -> None:
        if point == "intake.after_receipt":
            (folder / "manifest.json").unlink()
            (folder / "VISITS.csv").write_text(VISITS.replace("12,50", "99,00"))
            seal(folder, world.datasets["care"], "2024-01", sealed_at=SEALED + timedelta(minutes=5))

    with monkeypatch.context() as patched:
        patched.setattr(run, "crash_point", correct)
        (first,) = world.tick()
    assert first.status == ("refused" if is_refused else "accepted")
    (second,) = world.tick()
    assert (second.status, second.is_current) == ("accepted", True)
    assert world.rows("SELECT max(cost)::VARCHAR FROM lake.care.visits") == [("99.00",)]
    assert not list(world.home.inbox.rglob("manifest.json"))


def test_a_key_of_many_columns_is_rejected_as_any_other(tmp_path: Path) -> None:
    names = [f"{'a_column_of_a_very_long_name':_<50}{number}" for number in range(8)]
    described = dataset(
        tables=[
            {
                "name": "PARTS",
                "title": text("Parts"),
                "description": text("Parts"),
                "primary_key": names,
                "on_duplicate_key": "reject",
                "columns": [column(name, "integer", nullable=False) for name in names],
            }
        ]
    )
    world = World.create(tmp_path, described)
    rows = [";".join("1" * 8), ";".join("1" * 8), ";".join("2" * 8)] + [";".join(f"{n}" * 8) for n in range(3, 9)]
    world.drop({"PARTS.csv": "\n".join([";".join(names), *rows, ""])})
    (receipt,) = world.tick()
    assert (receipt.status, receipt.rejected_count) == ("accepted_with_rejects", 2)
    (kept,) = world.home.quarantine.glob("*/*/*/*/rejected/*")
    assert kept.name == f"PARTS.csv.duplicate_key.{names[0]}-and-7-more.parquet"


def came_in(root: Path, values: Any, kind: str) -> tuple[int, list[Any]]:
    """Rows rejected, and the values that came in, of a Parquet file of one column."""
    table = {"name": "M", "title": text("M"), "description": text("M"), "columns": [column("V", kind)]}
    thresholds = {"max_reject_ratio": 1}
    world = World.create(root, dataset(format={"kind": "parquet"}, tables=[table], thresholds=thresholds))
    world.drop({"M.parquet": as_parquet({"V": values})})
    (receipt,) = world.tick()
    assert receipt.status != "refused", receipt.to_json()
    return receipt.rejected_count, [value for (value,) in world.rows("SELECT v::VARCHAR FROM lake.care.m ORDER BY v")]


def test_numbers_of_parquet_are_what_they_were(tmp_path: Path) -> None:
    exact = pa.array([Decimal("0.00000000"), Decimal("1.50000000")], pa.decimal128(18, 8))
    assert came_in(tmp_path / "exact", exact, "decimal(18,8)") == (0, ["0.00000000", "1.50000000"])
    binary = pa.array([float("nan"), 1.5, float("inf")])
    assert came_in(tmp_path / "binary", binary, "float") == (1, ["1.5", "nan"])


def test_instants_of_parquet_are_neither_moved_nor_cut(tmp_path: Path) -> None:
    day = datetime(2024, 1, 31, 8, 30)
    plain = pa.array([day, day.replace(microsecond=250_000)], pa.timestamp("us"))
    assert came_in(tmp_path / "plain", plain, "timestamp") == (0, ["2024-01-31 08:30:00", "2024-01-31 08:30:00.25"])
    zoned = pa.array([day.replace(tzinfo=UTC), None], pa.timestamp("us", tz="Europe/Paris"))
    assert came_in(tmp_path / "zoned", zoned, "timestamp") == (0, ["2024-01-31 08:30:00", None])
    fine = pa.array([1_706_689_800_000_000_001, 1_706_689_800_000_000_000], pa.timestamp("ns"))
    assert came_in(tmp_path / "fine", fine, "timestamp") == (1, ["2024-01-31 08:30:00"])
    words = pa.array(["epoch", "infinity", "2024-01-31 08:30:00+02"])
    assert came_in(tmp_path / "words", words, "timestamp") == (3, [])


def test_a_number_too_large_for_its_type_is_none(tmp_path: Path) -> None:
    table = {"name": "M", "title": text("M"), "description": text("M"), "columns": [column("V", "float")]}
    world = World.create(tmp_path, dataset(tables=[table], thresholds={"max_reject_ratio": 0.9}))
    world.drop({"M.csv": f"V\n1,5\n1e400\n{'9' * 400}\nNaN\n"})
    (receipt,) = world.tick()
    assert receipt.rejected_count == 2
    assert [(p.rule, p.lines) for p in receipt.problems] == [("type", (3, 4))]


def test_a_key_that_means_missing_is_a_rejected_row(tmp_path: Path) -> None:
    columns = [column("AT", "date", nullable=False, sentinels=["99/99/9999"]), column("N", "integer")]
    table = {"name": "M", "title": text("M"), "description": text("M"), "primary_key": ["AT"], "columns": columns}
    world = World.create(tmp_path, dataset(tables=[table]))
    world.drop({"M.csv": "AT;N\n31/01/2024;1\n99/99/9999;2\n"})
    (receipt,) = world.tick()
    assert (receipt.status, [(p.rule, p.lines) for p in receipt.problems]) == (
        "accepted_with_rejects",
        [("required", (3,))],
    )


def test_a_replaced_delivery_that_comes_again_is_told_that_it_is_replaced(world: World) -> None:
    for minutes, status in ((0, "accepted"), (1, "accepted"), (0, "already_received")):
        world.drop(GOOD, minutes=minutes)
        (receipt,) = world.tick()
        assert receipt.status == status
    assert not receipt.is_current
