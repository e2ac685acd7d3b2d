"""The hub's home as a Dagster resource: assets and sensors take it and hand plain objects to the code.

With `failures.py` all that knows Dagster in `resources`; commands that do not need Dagster never import them.
"""

from __future__ import annotations

import dagster as dg

from hdh_assets.core.home import Home, Settings
from resources.lake import Lake, open_lake
from resources.registry import Registry


class Hub(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One installation. `folder` is its home, absolute."""

    folder: str

    @property
    def home(self) -> Home:
        """Its folders."""
        return Home.resolve(self.folder)

    @property
    def settings(self) -> Settings:
        """Its settings, read now."""
        return Settings.load(self.home)

    @property
    def lake(self) -> Lake:
        """Its lake."""
        return open_lake(self.home, self.settings)

    def registry(self) -> Registry:
        """Its event log; close it after use."""
        return Registry(self.home, self.settings)
