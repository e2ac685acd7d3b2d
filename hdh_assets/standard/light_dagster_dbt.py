"""dagster-dbt without dbt behind it. The code locations read dbt's manifest and never run dbt: a child process does.

dagster-dbt works where dbt is not installed, and imports it where it is: more than a second of each code server's
start, and as much again to select nodes. While it is imported here, dbt cannot be found.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Importing `module` fails meanwhile, unless it was imported before."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


with _hidden("dbt.version"):
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

__all__ = ["DagsterDbtTranslator", "DagsterDbtTranslatorSettings", "dbt_assets"]
