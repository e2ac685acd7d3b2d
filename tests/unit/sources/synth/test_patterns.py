"""Texts drawn from a regular expression match it, and differ when the numbers do."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.sources.synth.patterns import matching, places, room

PATTERNS = (
    "[0-9][0-9AB][0-9]{3}", r"T\d{6}-[AB]", "(FR|BE)[A-Z]{2}", "a+b*c?", r"\w{3}\s\d", "[^abc]x", "x|y",
    "'[0-9]", "^[1-9]$", "",
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_text_matches(pattern: str) -> None:
    texts = duckdb.sql(f"SELECT {matching(pattern, 'range')} AS text FROM range(500)").fetchall()
    assert all(re.fullmatch(pattern, text) for (text,) in texts)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if room(p) >= 100])
def test_different_numbers_give_different_texts(pattern: str) -> None:
    texts = duckdb.sql(f"SELECT {matching(pattern, 'range')} AS text FROM range(100)").fetchall()
    assert len(set(texts)) == 100


@given(st.lists(st.sampled_from(["[a-f]", r"\d", "[0-9]{2}", "(ab|c)", "-", "[A-Z]{1,3}", "x?", "z*"]), max_size=6))
def test_whatever_is_put_together_matches(parts: list[str]) -> None:
    pattern = "".join(parts)
    for (text,) in duckdb.sql(f"SELECT {matching(pattern, 'range * 7919')} FROM range(20)").fetchall():
        assert re.fullmatch(pattern, text)


def test_the_room_of_a_pattern_is_the_product_of_its_places() -> None:
    assert places("[ab]c[0-9]") == ["ab", "c", "0123456789"]
    assert room("[ab]c[0-9]") == 20
