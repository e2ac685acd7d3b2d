"""A YAML file as a model: every error at once, as `file:line: field: problem`.

What the files say is in the models; this knows none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from hdh_assets.core.errors import HubError

Location = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_model(path: Path, model: type[Model], error: type[HubError], *, remedy: str | None = None) -> Model:
    """The file as `model`. Raises `error` listing every problem of the file with its line."""
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError) as found:
        raise error(f"{path}:1: file: cannot be read: {type(found).__name__}", remedy=remedy) from None
    except yaml.YAMLError as found:
        mark = getattr(found, "problem_mark", None)
        problem = getattr(found, "problem", None) or "not valid YAML"
        raise error(f"{path}:{mark.line + 1 if mark else 1}: yaml: {problem}", remedy=remedy) from None
    if not isinstance(content, dict):
        raise error(f"{path}:1: file: a mapping is expected", remedy=remedy)
    try:
        return model.model_validate(content)
    except ValidationError as found:
        problems = [(tuple(e["loc"]), e["msg"].removeprefix("Value error, ")) for e in found.errors()]
        raise error("\n".join(problems_by_line(path, problems)), remedy=remedy) from None


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
