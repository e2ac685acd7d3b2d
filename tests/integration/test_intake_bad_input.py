"""What each bad delivery gets: a refusal that says where, rows rejected by rule, and a lake left as it was."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from intake_world import NAME, NIR, PERSONS, VISITS, World, column, cut, dataset, identities_in, refused
from pyarrow import parquet

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import ConfigurationError
from resources.keys import open_keys
from resources.vault import open_vault

HEADER = "NUM;PERSON;DAY;COST;NOTE\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


def identities(world: World) -> list[dict[str, Any]]:
    """Every identity of a person that the vault keeps."""
    vault = open_vault(world.home, open_keys(world.home))
    paths = vault.identities("care", "persons", "any").parent.glob("*.parquet")
    return [row for path in paths for row in identities_in(vault, path)]


def test_folder_without_manifest_is_not_looked_at(world: World) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    (folder / "manifest.json").unlink()
    assert world.tick() == []
    assert (folder / "PERSONS.csv").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": 1, "a": 2}', b'{"dataset": NaN}', b"[" * 100_000, b"1" * 5000],
)
def test_malformed_manifest_is_refused(world: World, content: bytes) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    (folder / "manifest.json").write_bytes(content)
    assert list(refused(world)) == ["manifest_malformed"]


@pytest.mark.parametrize(
    "name", ["../PERSONS.csv", "/etc/passwd", "a/b.csv", "..", "PERSONS.csv\u0000", "PERSONS .csv", "C:\\x.csv", ""]
)
def test_path_tricks_in_the_manifest_are_refused(world: World, name: str) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["name"] = name
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert list(refused(world)) == ["file_name"]


def test_same_file_twice_in_the_manifest_is_refused(world: World) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"].append(manifest["files"][0] | {"name": "persons.csv"})
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert list(refused(world)) == ["duplicate_file"]


def test_missing_surplus_and_resized_files_are_all_named(world: World) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    (folder / "VISITS.csv").unlink()
    (folder / "PERSONS.csv").write_text(PERSONS + "p3;;;1\n")
    (folder / "EXTRA.csv").write_text("x")
    assert refused(world) == {
        "surplus_file": [("EXTRA.csv", None)],
        "wrong_size": [("PERSONS.csv", None)],
        "missing_file": [("VISITS.csv", None)],
    }


def test_wrong_digest_is_refused(world: World) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    (folder / "VISITS.csv").write_text(VISITS.replace("31/01", "30/01"))
    assert refused(world) == {"wrong_digest": [("VISITS.csv", None)]}


def test_wrong_number_of_rows_is_refused(world: World) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][1]["rows"] = 4
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert refused(world) == {"wrong_rows": [("VISITS.csv", None)]}


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "link to the manifest"])
def test_what_is_not_a_plain_file_is_refused_unread(world: World, kind: str, tmp_path: Path) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    target = folder / ("manifest.json" if kind == "link to the manifest" else "VISITS.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(target.read_bytes())
    target.unlink()
    if kind == "folder":
        target.mkdir()
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        target.symlink_to(elsewhere)
    rule = "manifest_not_a_file" if target.name == "manifest.json" else "not_a_plain_file"
    assert list(refused(world)) == [rule]
    assert elsewhere.exists()


def test_unknown_dataset_wrong_period_and_wrong_place_are_refused(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, period="2024-03", dataset="other")
    assert list(refused(world)) == ["wrong_place"]
    stranger = dataset("stranger")
    World(world.home, {"stranger": stranger}, world.settings).drop({"PERSONS.csv": PERSONS}, of="stranger")
    assert list(refused(world)) == ["unknown_dataset"]


def test_missing_table_and_unknown_file_are_refused(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "OTHERS.csv": "A\n1\n"})
    assert refused(world) == {"unknown_table": [("OTHERS.csv", None)], "missing_table": [(None, None)]}


LATIN = VISITS.replace(";a\n", ";é\n").encode("latin-1")

BAD_VISITS = {
    "encoding": (LATIN, 2),
    "byte_order_mark": (b"\xef\xbb\xbf" + VISITS.encode(), 1),
    "nul_byte": (VISITS.replace(";b\n", ";\0\n"), 3),
    "line_ending": (VISITS.replace("12,50;a\n", "12,50;a\r"), 2),
    "blank_line": (VISITS.replace("\n2;", "\n\n2;"), 3),
    "quoting": (VISITS.replace(";b\n", ';b"b\n'), 3),
    "unclosed_quote": (VISITS.replace(";b\n", ';"b\n'), 3),
    "empty_file": (b"", 1),
}


@pytest.mark.parametrize("rule", BAD_VISITS)
def test_bad_bytes_are_refused_with_their_line(world: World, rule: str) -> None:
    content, line = BAD_VISITS[rule]
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": content})
    assert refused(world) == {rule: [("VISITS.csv", line)]}


@pytest.mark.parametrize("change", [("a\n2", "a;\n2"), ("12,50;a\n", "12,50\n"), ("12,50;a\n", "12,50;a;x\n")])
def test_ragged_rows_are_refused(world: World, change: tuple[str, str]) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace(*change)})
    assert refused(world) == {"ragged_row": [("VISITS.csv", 2)]}


def test_mixed_line_endings_and_carriage_returns_alone_are_refused(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace("\n", "\r\n", 2)})
    assert refused(world) == {"line_ending": [("VISITS.csv", 3)]}
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace("\n", "\r")})
    assert refused(world) == {"line_ending": [("VISITS.csv", 1)]}


def test_a_byte_order_mark_where_rows_begin_is_part_of_the_first_value(world: World) -> None:
    head, rows = PERSONS.split("\n", 1)
    # "\ufeffp1" is somebody else than the p1 of two visits, which are orphans then
    assert world.deliver(persons=f"{head}\n\ufeff{rows}").status == "accepted_with_rejects"
    assert [num for num, *_ in world.visits()] == [2]


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("NUM;NUM;PERSON;DAY;COST;NOTE", "duplicate_column"),
        ("NUM;PERSON;DAY;COST;NOTE;SHOE", "unknown_column"),
        ("NUM;PERSON;DAY;NOTE", "missing_column"),
        ("1;p1;31/01/2024;12,50;a", "header"),
    ],
)
def test_wrong_headers_are_refused(world: World, header: str, rule: str) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": header + "\n"})
    assert rule in refused(world)


def test_reordered_columns_and_aliases_are_read_right_unless_order_is_declared(tmp_path: Path) -> None:
    visits = "COST;remark;PERSON;NUM;DAY\n12,50;a;p1;1;31/01/2024\n"
    world = World.create(tmp_path / "any")
    assert world.deliver(visits).status == "accepted"
    ((num, _, _, cost, note, _),) = world.visits()
    assert (num, str(cost), note) == (1, "12.50", "a")
    strict = dataset(format={"delimiter": ";", "decimal": ",", "date": "%d/%m/%Y", "column_order": "declared"})
    world = World.create(tmp_path / "declared", strict)
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": visits})
    assert "column_order" in refused(world)


def test_an_optional_column_may_be_missing_and_a_table_may_be_empty(world: World) -> None:
    assert world.deliver("NUM;PERSON;DAY;COST\n1;p1;31/01/2024;1\n").status == "accepted"
    assert world.visits()[0][4] is None
    assert world.deliver(HEADER, period="2024-02").status == "accepted"
    assert len(world.visits()) == 1


def test_rows_without_an_identity_are_judged_like_the_others_and_leave_none_in_the_vault(world: World) -> None:
    receipt = world.deliver(persons=f"{PERSONS}p3;;;1\np4;;;7\np5;;Dupont;7\n")
    assert (receipt.rejected_count, receipt.problems[0].lines) == (2, (5, 6))
    assert len(world.rows("FROM lake.care.persons")) == 3
    assert sorted(row["name"] for row in identities(world)) == ["Durand", NAME]


def test_a_direct_identifier_that_is_optional_may_be_missing(tmp_path: Path) -> None:
    content = dataset().model_dump(mode="json")
    for each in content["tables"][0]["columns"]:
        each["optional"] = each["name"] in {"NIR", "NAME"}
    world = World.create(tmp_path, Dataset.model_validate(content))
    assert world.deliver(persons=f"ID;NIR;SEX\np1;{NIR};1\np2;;2\n").status == "accepted"
    assert [(row["nir"], row["name"]) for row in identities(world)] == [(NIR, None)]
    assert world.deliver(persons="ID;SEX\np1;1\np2;2\n", period="2024-02").status == "accepted"


def test_quoted_newlines_crlf_and_parts_are_read_right(world: World) -> None:
    first = 'NUM;PERSON;DAY;COST;NOTE\r\n1;p1;31/01/2024;1;"a ""b""\nc;d"\r\n'
    second = HEADER + '2;"p2";;;""\n'
    world.drop({"PERSONS.csv": PERSONS, "visits_1.csv": first, "VISITS_002.csv.gz": gzip.compress(second.encode())})
    (receipt,) = world.tick()
    assert receipt.status == "accepted", receipt.problems
    assert [row[4] for row in world.visits()] == ['a "b"\nc;d', None]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8-sig"])
def test_declared_encodings_are_read_right(tmp_path: Path, encoding: str) -> None:
    world = World.create(
        tmp_path, dataset(format={"delimiter": ";", "decimal": ",", "date": "%d/%m/%Y", "encoding": encoding})
    )
    visits = VISITS.replace(";a\n", ";éàü\n").replace("NOTE", "Remarque (libellé)")
    assert world.deliver(visits.encode(encoding), PERSONS.encode(encoding)).status == "accepted"
    assert world.visits()[0][4] == "éàü"


def test_cut_gzip_and_gzip_bombs_are_refused(world: World) -> None:
    whole = gzip.compress(VISITS.encode())
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv.gz": whole})
    cut(folder, "VISITS.csv.gz", whole[:-9])
    assert refused(world) == {"gzip_damaged": [("VISITS.csv.gz", 4)]}
    bomb = gzip.compress(HEADER.encode() + b"1;p1;;;\n" * 2_000_000)
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv.gz": bomb})
    ((name, line),) = refused(world)["gzip_bomb"]
    assert (name, line is not None) == ("VISITS.csv.gz", True)


BAD_VALUES = [
    ("NUM", "type", "2;p2", "x;p2"),
    ("NUM", "type", "2;p2", "1e2;p2"),
    ("NUM", "type", "2;p2", " 2;p2"),
    ("NUM", "required", "2;p2", ";p2"),
    ("PERSON", "required", "2;p2", "2;"),
    ("DAY", "type", "29/02/2024", "30/02/2024"),
    ("DAY", "type", "29/02/2024", "2024-02-29"),
    ("DAY", "type", "29/02/2024", "29/02/24"),
    ("COST", "type", ";0;b", ";0.5;b"),
    ("COST", "type", ";0;b", ";0,505;b"),
    ("COST", "range", ";0;b", ";1000,01;b"),
    ("COST", "range", ";0;b", ";-1;b"),
    ("NOTE", "length", ";0;b", ";0;" + "b" * 21),
]


@pytest.mark.parametrize(("name", "rule", "good", "bad"), BAD_VALUES)
def test_bad_values_reject_their_row_and_are_never_shown(
    world: World, name: str, rule: str, good: str, bad: str
) -> None:
    receipt = world.deliver(VISITS.replace(good, bad))
    assert receipt.status == "accepted_with_rejects"
    assert [(p.rule, p.column, p.file, p.line, p.count) for p in receipt.problems] == [(rule, name, "VISITS.csv", 3, 1)]
    assert [row[0] for row in world.visits()] == [1, 3]
    assert receipt.tables["visits"].model_dump() == {"rows": 2, "rejected": 1, "by_rule": {rule: 1}}


def test_values_of_no_declared_code_are_rejected(world: World) -> None:
    receipt = world.deliver(VISITS, PERSONS.replace(";Durand;2", ";Durand;9"))
    rules = {(p.rule, p.column) for p in receipt.problems}
    assert rules == {("in_list", "SEX"), ("orphan", "PERSON")}


def test_duplicate_keys_and_orphans_are_rejected_with_their_lines(world: World) -> None:
    receipt = world.deliver(VISITS + "1;p2;;;\n4;p9;;;\n")
    assert {p.rule: p.lines for p in receipt.problems} == {"duplicate_key": (2, 5), "orphan": (6,)}
    assert [row[0] for row in world.visits()] == [2, 3]
    assert receipt.rejected_count == 3
    assert set_aside(world) == {
        "VISITS.csv.duplicate_key.NUM": [(2, "1", "p1"), (5, "1", "p2")],
        "VISITS.csv.orphan-1.PERSONS.PERSON": [(6, "4", "p9")],
    }


def set_aside(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Rejected rows in quarantine, by file: line, number and person."""
    vault = open_vault(world.home, open_keys(world.home))
    found = {}
    for path in world.home.quarantine.rglob("*.parquet"):
        table = parquet.read_table(pa.BufferReader(b"".join(vault.chunks(path))))
        found[path.stem] = [(row["_line"], row["NUM"], row["PERSON"]) for row in table.to_pylist()]
    return found


def test_names_that_the_hub_uses_itself_are_free_for_columns(tmp_path: Path) -> None:
    own = ["LINE", "RULES", "FEEDS", "IS_VALID", "ORDER", "DELIVERY", "TEXT"]
    content = dataset().model_dump(mode="json")
    content["tables"][1]["columns"] += [column(name, "string(8)") for name in own]
    world = World.create(tmp_path, dataset(**content))
    head, *rows = VISITS.splitlines()
    lines = [f"{head};{';'.join(own)}", *(f"{row};{';'.join(own)}" for row in rows)]
    lines[2] = lines[2].replace("29/02/2024", "30/02/2024")
    lines.append(f"4;p9;;;;{';'.join(own)}")
    receipt = world.deliver("\n".join(lines) + "\n")
    found = {(p.rule, p.column): p.lines for p in receipt.problems}
    assert found == {("type", "DAY"): (3,), ("orphan", "PERSON"): (5,)}
    assert [row[0] for row in world.visits()] == [1, 3]


def test_duplicate_keys_refuse_where_the_descriptor_says_so(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS + "p1;;;1\n", "VISITS.csv": VISITS})
    assert refused(world) == {"duplicate_key": [("PERSONS.csv", 2)]}


def test_too_many_rejects_refuse_the_delivery(tmp_path: Path) -> None:
    world = World.create(tmp_path, dataset(thresholds={"max_reject_ratio": 0.3}))
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace("29/02", "31/02")})
    (receipt,) = world.tick()
    assert receipt.status == "refused"
    excess = next(problem for problem in receipt.problems if problem.rule == "too_many_rejects")
    assert {problem.rule for problem in receipt.problems} == {"too_many_rejects", "type"}
    assert (excess.expected.fr, excess.found.en) == ("au plus 30,00 % de lignes rejetées", "33.33% (1 of 3)")


def test_lines_count_quoted_newlines(world: World) -> None:
    receipt = world.deliver(HEADER + '1;p1;;;"a\nb\nc"\n2;p1;99/99/2024;;\n')
    assert [p.line for p in receipt.problems] == [5]


def parquet_files(**changes: object) -> dict[str, bytes]:
    persons = {"ID": ["p1", "p2"], "NIR": [NIR, None], "NAME": [NAME, "x"], "SEX": ["1", "2"]}
    visits = {"NUM": [1, 2], "PERSON": ["p1", "p2"], "DAY": [None, None], "COST": ["1.5", None]} | changes
    return {"PERSONS.parquet": as_parquet(persons), "VISITS.parquet": as_parquet(visits)}


def as_parquet(content: dict[str, object]) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(content), sink, write_page_checksum=True, compression="none", use_dictionary=False)
    return sink.getvalue().to_pybytes()


def test_parquet_is_read_right_and_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    world = World.create(tmp_path, dataset(format={"kind": "parquet"}))
    world.drop(parquet_files(DAY=pa.array([1, None], pa.date32())))
    (receipt,) = world.tick()
    assert receipt.status == "accepted", receipt.to_json()
    assert [(row[0], str(row[2]), str(row[3])) for row in world.visits()] == [
        (1, "1970-01-02", "1.50"),
        (2, "None", "None"),
    ]
    files = parquet_files()
    folder = world.drop(files, period="2024-02")
    content = bytearray(files["VISITS.parquet"])
    content[content.index(b"\2\0\0\0p1") + 5] ^= 1
    cut(folder, "VISITS.parquet", bytes(content))
    assert refused(world) == {"parquet_damaged": [("VISITS.parquet", None)]}


@pytest.mark.parametrize("garbage", [b"PAR1" + b"\xff" * 64 + b"PAR1", zlib.compress(b"x" * 100)])
def test_hostile_parquet_is_refused_and_intake_survives(tmp_path: Path, garbage: bytes) -> None:
    world = World.create(tmp_path, dataset(format={"kind": "parquet"}))
    folder = world.drop(parquet_files())
    cut(folder, "VISITS.parquet", garbage)
    assert list(refused(world)) == ["parquet_damaged"]


def test_a_type_that_the_lake_cannot_follow_stops_that_dataset_alone(tmp_path: Path) -> None:
    world = World.create(tmp_path, dataset(), dataset("other"))
    assert world.deliver().status == "accepted"
    content = dataset(version=2).model_dump(mode="json")
    content["tables"][1]["columns"][3]["type"] = "date"
    for limit in ("minimum", "maximum"):
        content["tables"][1]["columns"][3].pop(limit)
    world.datasets["care"] = dataset(**content)
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, "2024-02", minutes=1)
    with pytest.raises(ConfigurationError, match=r"care\.visits\.cost is DECIMAL\(7,2\) in the lake and DATE"):
        world.tick()
    world.empty_inbox()
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, of="other")
    assert [receipt.status for receipt in world.tick()] == ["accepted"]
    assert len(world.visits()) == 3
