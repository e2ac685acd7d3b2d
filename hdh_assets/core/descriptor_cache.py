"""What descriptor files say, kept as JSON by digest of their bytes: reading YAML is most of the cost of 300 files.

Only the parsing is spared: what is kept is validated each time. Any file here may be removed at any time.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.files import write_atomically


@dataclass
class DescriptorCache:
    """The files of one folder, which need not exist: nothing is then kept."""

    folder: Path
    _used: set[str] = field(default_factory=set)
    _has_new: bool = False

    def find(self, content: bytes) -> Dataset | None:
        """The dataset of a file with these bytes; None when it was not kept or is no longer valid."""
        path = self._path(content)
        try:
            found = Dataset.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        self._used.add(path.name)
        return found

    def keep(self, content: bytes, said: dict[str, Any]) -> None:
        """Keep what these bytes say: a mapping that describes a dataset, hence of JSON's types."""
        if self.folder.parent.is_dir():
            self._write(self._path(content), json.dumps(said, ensure_ascii=False))

    def forget_unused(self) -> None:
        """Remove what no file of this reading needed, when something new was kept."""
        if self._has_new:
            for path in self.folder.glob("*.json"):
                if path.name not in self._used:
                    path.unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            write_atomically(path, text.encode("utf-8"), is_durable=False)
        except OSError:
            return  # a disk that is full or read-only costs time, nothing else
        self._used.add(path.name)
        self._has_new = True

    def _path(self, content: bytes) -> Path:
        return self.folder / f"{hashlib.sha256(content).hexdigest()}.json"
