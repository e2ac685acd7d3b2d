"""The dbt manifest: one that cannot be read is told as one that was never made."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.standard.manifest import read_manifest


@pytest.mark.parametrize(("content", "said"), [(None, "was never made"), ("", "cannot be read")])
def test_a_manifest_that_is_none(tmp_path: Path, content: str | None, said: str) -> None:
    manifest = tmp_path / "manifest.json"
    if content is not None:
        manifest.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match=f"manifest {said}"):
        read_manifest(manifest)
