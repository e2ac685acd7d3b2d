"""The pipe to the engine: how far the gates work ahead of a reader, and what comes out of it."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdh_assets.sources.intake.feed import Feed

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [4 * MIB, MIB, 128 * 1024])
def test_gates_are_ahead_of_the_engine_by_bytes_whatever_the_blocks(size: int) -> None:
    block, made = b"a" * (size - 1) + b"\n", [0]

    def blocks() -> Iterator[bytes]:
        while made[0] < 200 * MIB:
            made[0] += size
            yield block

    with Feed(blocks(), "f", 1):
        before = -1
        while made[0] != before:
            before = made[0]
            time.sleep(0.5)
        assert 40 * MIB < made[0] < 60 * MIB
    assert made[0] == 200 * MIB


@pytest.mark.parametrize("size", [1, 1000, 50 * MIB])
def test_what_goes_in_comes_out_in_order_behind_a_mark(size: int) -> None:
    blocks = [bytes([ord("a") + number]) * size for number in range(3)]
    with Feed(iter(blocks), "f", 1) as feed:
        read = Path(feed.path).read_bytes()
    assert read == codecs.BOM_UTF8 + b"".join(blocks)
