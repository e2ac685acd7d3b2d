"""The gates of bytes against Python's own strict CSV reader, on texts of every shape and cut into blocks anywhere."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.byte_gate import check_text, decode, decompress, whole_lines
from hdh_assets.sources.intake.receipt import DeliveryRefusedError
from hdh_assets.sources.intake.text_structure import TextCounts, marked_letters

DIALECT = Format(delimiter=";", quote='"')
PACKED = gzip.compress(b"abc", mtime=0)


def blocks_of(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def passed(content: bytes, size: int = 7, dialect: Format = DIALECT) -> tuple[bytes, TextCounts]:
    counts = TextCounts()
    text = decode(blocks_of(content, size), dialect.encoding, "f", counts)
    return b"".join(check_text(whole_lines(text, "f", counts), dialect, "f", counts)), counts


def fault(content: bytes, size: int = 7, dialect: Format = DIALECT) -> tuple[str, int | None]:
    with pytest.raises(DeliveryRefusedError) as caught:
        passed(content, size, dialect)
    (problem,) = caught.value.problems
    return problem.rule, problem.line


fields = st.text(st.sampled_from('ab;"\n\ré€ '), max_size=5)


def read(text: bytes) -> list[list[str]]:
    """The fields of what passed, as the engine has them once marks are replaced."""
    lines = text.decode().removesuffix("\n").split("\n")
    return [[_unmarked(field) for field in line.split(";")] for line in lines]


def _unmarked(field: str) -> str:
    for letter, byte in marked_letters(";").items():
        field = field.replace(f"\0{letter}", byte)
    return field


@given(st.lists(st.lists(fields, min_size=2, max_size=2), min_size=1, max_size=6), st.integers(1, 20), st.booleans())
def test_well_written_text_passes_whole_and_is_counted(rows: list[list[str]], size: int, is_crlf: bool) -> None:
    sink = io.StringIO(newline="")
    ending = "\r\n" if is_crlf else "\n"
    csv.writer(sink, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator=ending).writerows([["A", "B"], *rows])
    text, counts = passed(sink.getvalue().encode(), size)
    assert read(text) == [["A", "B"], *rows]
    assert b"\r" not in text
    assert counts.records == len(rows) + 1


@given(st.text(st.sampled_from('ab;"\n\r'), min_size=1, max_size=30), st.integers(1, 8))
def test_what_passes_reads_the_same_for_a_strict_reader(body: str, size: int) -> None:
    content = f"A;B\n{body}".encode()
    try:
        text, counts = passed(content, size)
    except DeliveryRefusedError:
        return
    assert read(text) == list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";", strict=True))
    assert len(read(text)) == counts.records


@given(st.integers(1, 12))
def test_faults_are_found_wherever_blocks_are_cut(size: int) -> None:
    assert fault(b'A;B\n1;2\n3;x"y\n', size) == ("quoting", 3)
    assert fault(b'A;B\n1;2\n3;"x"y\n', size) == ("quoting", 3)
    assert fault(b'A;B\n1;"2\n3;4\n', size) == ("unclosed_quote", 2)
    assert fault(b'A;B\n1;"2\n""3"";4\n', size) == ("unclosed_quote", 2)
    assert fault(b"A;B\n1;2\n\n3;4\n", size) == ("blank_line", 3)
    assert fault(b"A;B\r\n1;2\n", size) == ("line_ending", 2)
    assert fault(b"A;B\n1;2\r\n", size) == ("line_ending", 2)
    assert fault(b"A;B\n1;2\n3;\0\n", size) == ("nul_byte", 3)
    assert fault("A;B\n1;é\n3;".encode() + b"\xc3\n", size) == ("encoding", 3)
    assert fault(b"A;B\n1;2\n3;\xc3", size) == ("encoding", 3)


def test_a_record_of_many_lines_is_no_longer_than_a_line_may_be() -> None:
    lines = b"x" * 1023 + b"\n"
    assert passed(b'A;B\n1;"' + lines * 2000 + b'"\n', size=100_000)[1].records == 2
    assert fault(b'A;B\n1;2\n1;"' + lines * 2048 + b'"\n', size=100_000) == ("line_too_long", 3)
    assert fault(b'A;B\n1;2\n1;"' + lines * 2048, size=100_000) == ("unclosed_quote", 3)


def test_a_row_too_long_does_not_hide_one_too_short_among_quotes() -> None:
    assert fault(b'A;B\n"1\n";2\n3\n4;5;6\n"7";8\n', size=100) == ("ragged_row", 4)
    assert fault(b'A;B\n"1\n";2\n3\n4;5;6\n', size=8) == ("ragged_row", 4)


def test_without_quotes_a_quote_is_a_character() -> None:
    dialect = Format(delimiter=";", quote=None)
    text, counts = passed(b'A;B\n1;x"\n', dialect=dialect)
    assert (text, counts.records) == (b'A;B\n1;x"\n', 2)


def test_cp1252_becomes_utf8_and_refuses_its_holes() -> None:
    dialect = Format(delimiter=";", encoding="cp1252")
    assert passed("A;B\n1;€é\n".encode("cp1252"), dialect=dialect)[0] == "A;B\n1;€é\n".encode()
    assert fault(b"A;B\n1;\x81\n", dialect=dialect) == ("encoding", 2)


def test_a_byte_order_mark_is_needed_exactly_where_declared() -> None:
    marked = b"\xef\xbb\xbfA;B\n"
    assert passed(marked, dialect=Format(delimiter=";", encoding="utf-8-sig"))[0] == b"A;B\n"
    assert fault(marked) == ("byte_order_mark", 1)
    assert fault(b"A;B\n", dialect=Format(delimiter=";", encoding="utf-8-sig")) == ("byte_order_mark", 1)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3), st.integers(1, 40))
def test_gzip_members_are_read_one_after_another(parts: list[bytes], size: int) -> None:
    content = b"".join(gzip.compress(part, mtime=0) for part in parts)
    assert b"".join(decompress(blocks_of(content, size), len(content), 200, "f")) == b"".join(parts)


@pytest.mark.parametrize("member", [b"", b"x", b"1;2\n", b"x" * 100])
def test_gates_get_as_few_blocks_of_many_small_members_as_of_one(member: bytes) -> None:
    times, packed = 100_000, gzip.compress(member, mtime=0)
    content = packed * times
    blocks = list(decompress(blocks_of(content, 128 * 1024), len(content), 200, "f"))
    assert b"".join(blocks) == member * times
    assert len(blocks) <= 1 + len(member) * times // (128 * 1024)


@pytest.mark.parametrize("content", [PACKED[:-1], PACKED + b"x", b"abc", b"\x1f\x8b"])
def test_damaged_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(DeliveryRefusedError, match="gzip_damaged"):
        list(decompress(iter([content]), len(content), 200, "f"))


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(DeliveryRefusedError, match="line_too_long"):
        list(whole_lines((b"a" * 1_000_000 for _ in range(1_000_000)), "f", TextCounts()))
