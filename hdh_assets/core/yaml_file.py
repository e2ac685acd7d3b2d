"""A YAML file as a model: every error at once, as `file:line: field: problem`.

What the files say is in the models; this knows none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from hdh_assets.core.errors import HubError

Location = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)

_DEEPEST, _SHOWN = 100, 60
_BRACKETS = re.compile(rb"[\[\]{}]")
_DASHES = re.compile(rb"(?:[-?:][ \t]+){%d}" % _DEEPEST)
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """A safe loader that refuses what YAML forbids and PyYAML lets through, and tells where a value makes no sense.

    The same key twice in one mapping; a day that no calendar has.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            kind = "day" if node.tag.endswith(":timestamp") else node.tag.rpartition(":")[2]
            problem = f"{str(node.value)[:_SHOWN]} is no {kind}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key {key.value!r} is there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def _is_too_deep(content: bytes) -> bool:
    """Whether brackets within brackets, or dash after dash, would end the parser and the process with it."""
    depth = 0
    for mark in _BRACKETS.findall(content):
        depth += 1 if mark in b"[{" else -1
        if depth > _DEEPEST:
            return True
    return _DASHES.search(content) is not None


def read_model(path: Path, model: type[Model], error: type[HubError], *, remedy: str | None = None) -> Model:
    """The file as `model`. Raises `error` listing every problem of the file with its line."""
    try:
        content = path.read_bytes()
    except OSError as found:
        raise error(f"{path}:1: file: cannot be read: {type(found).__name__}", remedy=remedy) from None
    return as_model(path, parse_mapping(path, content, error, remedy=remedy), model, error, remedy=remedy)


def parse_mapping(path: Path, content: bytes, error: type[HubError], *, remedy: str | None = None) -> dict[str, Any]:
    """What that file says, not yet validated. Raises `error` when its bytes are not YAML in UTF-8, or no mapping."""
    if _is_too_deep(content):
        raise error(f"{path}:1: yaml: lists or mappings more than {_DEEPEST} deep", remedy=remedy)
    try:
        said = yaml.load(content.decode("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    except UnicodeDecodeError:
        raise error(f"{path}:1: file: not in UTF-8", remedy=remedy) from None
    except yaml.YAMLError as found:
        mark = getattr(found, "problem_mark", None)
        problem = getattr(found, "problem", None) or "not valid YAML"
        raise error(f"{path}:{mark.line + 1 if mark else 1}: yaml: {problem}", remedy=remedy) from None
    if not isinstance(said, dict):
        raise error(f"{path}:1: file: a mapping is expected", remedy=remedy)
    return said


def as_model(
    path: Path, said: dict[str, Any], model: type[Model], error: type[HubError], *, remedy: str | None = None
) -> Model:
    """What that file says as `model`. Raises `error` listing every problem with its line."""
    try:
        return model.model_validate(said)
    except ValidationError as found:
        # a list none of whose members is right is called too short, too
        errors = [e for e in found.errors() if e["type"] != "too_short" or not _is_within(e["loc"], found)]
        problems = [(tuple(e["loc"]), e["msg"].removeprefix("Value error, ")) for e in errors]
        raise error("\n".join(problems_by_line(path, problems)), remedy=remedy) from None


def _is_within(location: Location, found: ValidationError) -> bool:
    """Whether something inside of that field is wrong."""
    return any(len(e["loc"]) > len(location) and e["loc"][: len(location)] == location for e in found.errors())


def problems_by_line(path: Path, problems: Iterable[tuple[Location, str]]) -> Iterator[str]:
    """Each (field, problem) of that file as `file:line: field: problem`."""
    root = yaml.compose(path.read_text("utf-8"), Loader=_Loader)
    for location, message in problems:
        field = ".".join(str(part) for part in location) or "file"
        yield f"{path}:{line_of(root, location)}: {field}: {message}"


def line_of(node: yaml.Node | None, location: Location) -> int:
    """Line of the deepest node on the way to `location`."""
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
