"""Reading descriptor files: every error of every file at once, as `file:line: field: problem`.

What a descriptor may say is in `descriptor.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hdh_assets.core.collector import collector_paused
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_cache import DescriptorCache
from hdh_assets.core.errors import DescriptorError, HubError
from hdh_assets.core.home import Home
from hdh_assets.core.yaml_file import YamlFile

PACKAGE_SOURCES = Path(__file__).resolve().parents[1] / "sources"


def descriptor_paths(home: Home | None = None) -> list[Path]:
    """Descriptor files of the package, then those the installation adds in `$HDH_HOME/datasets/`."""
    paths = _yaml_files(PACKAGE_SOURCES, "*/*")
    return paths if home is None else paths + _added_paths(home)


def _added_paths(home: Home) -> list[Path]:
    return _yaml_files(home.datasets, "**/*") if home.datasets.is_dir() else []


def _yaml_files(folder: Path, pattern: str) -> list[Path]:
    """In name order, by either ending that YAML has."""
    return sorted(path for path in folder.glob(pattern) if path.suffix in (".yaml", ".yml"))


def added_fingerprint(home: Home) -> str:
    """Digest of the name and bytes of every descriptor file the installation adds.

    Those of the package change with its code, hence with a new start of the hub.
    """
    digest = hashlib.sha256()
    for path in _added_paths(home):
        digest.update(f"{path}\n".encode())
        with suppress(OSError):  # one that cannot be read is told by whoever loads it
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def load_datasets(home: Home | None = None) -> dict[str, Dataset]:
    """Every dataset by id, in id order. Raises `DescriptorError` listing every problem of every file."""
    cache = DescriptorCache(home.tmp / "descriptors") if home is not None else None
    return read_datasets(descriptor_paths(home), cache)


def read_datasets(paths: Iterable[Path], cache: DescriptorCache | None = None) -> dict[str, Dataset]:
    """The datasets described by these files. Raises `DescriptorError` listing every problem of every file."""
    found: dict[str, Dataset] = {}
    origin: dict[str, Path] = {}
    problems: list[str] = []
    with collector_paused():
        for path in paths:
            try:
                dataset = _read(path, cache)
            except DescriptorError as error:
                problems.append(error.message)
                continue
            if dataset.id in origin:
                problems.append(f"{path}:1: id: {dataset.id} is already described in {origin[dataset.id]}")
                continue
            found[dataset.id], origin[dataset.id] = dataset, path
    if problems:
        raise DescriptorError("\n".join(problems), remedy="correct the descriptors, then run `hdh check`")
    if cache is not None:
        cache.forget_unused()
    return dict(sorted(found.items()))


def find_dataset(datasets: dict[str, Dataset], dataset_id: str) -> Dataset:
    """The dataset of that id. Raises `HubError` naming those that exist."""
    try:
        return datasets[dataset_id]
    except KeyError:
        raise HubError(
            f"no dataset is called {dataset_id!r}",
            remedy=f"choose one of: {', '.join(datasets) or 'none is described'}",
        ) from None


def _read(path: Path, cache: DescriptorCache | None) -> Dataset:
    file = YamlFile.read(path, DescriptorError)
    if cache is not None and (known := cache.find(file.content)) is not None:
        return known
    said = file.mapping()
    dataset = file.validated(said, Dataset)
    if cache is not None:
        cache.keep(file.content, said)
    return dataset
