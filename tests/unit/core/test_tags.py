"""The vocabulary of `hdh/…` tags is closed: no code uses another one, and none is only declared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from hdh_assets.core.tags import ASSET_TAGS, RUN_TAGS, WORKS

ROOT = Path(__file__).parents[3]
VOCABULARY = ROOT / "hdh_assets" / "core" / "tags.py"


def code() -> Iterator[ast.AST]:
    """Every node of the hub's own code but for the vocabulary."""
    for package in ("hdh_assets", "resources", "sensors"):
        for path in (ROOT / package).rglob("*.py"):
            if path != VOCABULARY:
                yield from ast.walk(ast.parse(path.read_text("utf-8")))


def texts(nodes: Iterator[ast.AST]) -> Iterator[str]:
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_every_tag_is_declared_and_every_tag_of_runs_is_used() -> None:
    used = {text for text in texts(code()) if re.fullmatch(r"hdh/[a-z_]+", text)}
    assert used <= ASSET_TAGS.keys() | RUN_TAGS.keys()
    assert used >= RUN_TAGS.keys()


def test_every_work_is_declared_and_done() -> None:
    pairs = [
        (key, value)
        for node in code()
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    works = {
        value.value
        for key, value in pairs
        if isinstance(key, ast.Constant) and key.value == "hdh/work" and isinstance(value, ast.Constant)
    }
    assert works == WORKS
