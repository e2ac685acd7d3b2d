"""Reading descriptor files: every error of every file at once, as `file:line: field: problem`.

What a descriptor may say is in `descriptor.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import DescriptorError, HubError
from hdh_assets.core.home import Home

PACKAGE_SOURCES = Path(__file__).resolve().parents[1] / "sources"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def descriptor_paths(home: Home | None = None) -> list[Path]:
    """Descriptor files of the package, then those the installation adds in `$HDH_HOME/datasets/`."""
    paths = sorted(PACKAGE_SOURCES.glob("*/*.yaml"))
    if home is not None and home.datasets.is_dir():
        paths += sorted(home.datasets.glob("**/*.yaml"))
    return paths


def load_datasets(home: Home | None = None) -> dict[str, Dataset]:
    """Every dataset by id, in id order. Raises `DescriptorError` listing every problem of every file."""
    return read_datasets(descriptor_paths(home))


def read_datasets(paths: Iterable[Path]) -> dict[str, Dataset]:
    """The datasets described by these files. Raises `DescriptorError` listing every problem of every file."""
    found: dict[str, Dataset] = {}
    origin: dict[str, Path] = {}
    problems: list[str] = []
    for path in paths:
        try:
            dataset = _read(path)
        except DescriptorError as error:
            problems.append(error.message)
            continue
        if dataset.id in origin:
            problems.append(f"{path}:1: id: {dataset.id} is already described in {origin[dataset.id]}")
            continue
        found[dataset.id], origin[dataset.id] = dataset, path
    if problems:
        raise DescriptorError("\n".join(problems), remedy="correct the descriptors, then run `hdh check`")
    return dict(sorted(found.items()))


def find_dataset(datasets: dict[str, Dataset], dataset_id: str) -> Dataset:
    """The dataset of that id. Raises `HubError` naming those that exist."""
    try:
        return datasets[dataset_id]
    except KeyError:
        raise HubError(
            f"no dataset is called {dataset_id!r}", remedy=f"choose one of: {', '.join(datasets) or 'none is described'}"
        ) from None


def _read(path: Path) -> Dataset:
    try:
        text = path.read_text("utf-8")
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptorError(f"{path}:1: file: cannot be read: {type(error).__name__}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DescriptorError(f"{path}:{line}: yaml: {getattr(error, 'problem', None) or 'not valid YAML'}") from None
    if not isinstance(content, dict):
        raise DescriptorError(f"{path}:1: file: a mapping is expected")
    try:
        return Dataset.model_validate(content)
    except ValidationError as error:
        raise DescriptorError("\n".join(_problems(path, text, error))) from None


def _problems(path: Path, text: str, error: ValidationError) -> Iterator[str]:
    root = yaml.compose(text, Loader=_Loader)
    for item in error.errors():
        location = item["loc"]
        field = ".".join(str(part) for part in location) or "dataset"
        yield f"{path}:{_line(root, location)}: {field}: {item['msg'].removeprefix('Value error, ')}"


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
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
