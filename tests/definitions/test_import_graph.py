"""Imports go one way, and only the wrappers know Dagster."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = (
    ("hdh_assets.core",),
    ("resources",),
    ("hdh_assets.governance", "hdh_assets.sources"),
    ("hdh_assets.linked",),
    ("hdh_assets.standard",),
    ("hdh_assets.catalog",),
    ("hdh_assets.extracts",),
    ("sensors",),
    ("hdh_assets.definitions",),
    ("hdh_assets.cli",),
)
"""From the bottom up: a module may import its own package and the layers below."""

WITHOUT_DAGSTER = {"instance", "one_hub", "stack", "tick", "backfill"}
"""Modules of the definitions that commands import before they know whether Dagster is needed."""
KNOWS_DAGSTER = {
    "hdh_assets.standard.light_dagster_dbt",
    "hdh_assets.standard.translator",
    "resources.failures",
    "resources.hub",
}


def modules() -> dict[str, Path]:
    """Every module of the project by dotted name."""
    files = [path for top in ("hdh_assets", "resources", "sensors") for path in (ROOT / top).rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports(path: Path) -> Iterator[str]:
    """Every module the file imports, inside functions and for type checking too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def level(module: str) -> int | None:
    """The layer of a module; None outside the layers."""
    for number, packages in enumerate(LAYERS):
        if any(module == package or module.startswith(f"{package}.") for package in packages):
            return number
    return None


def package(module: str) -> str:
    return ".".join(module.split(".")[: 2 if module.startswith("hdh_assets") else 1])


@pytest.mark.parametrize("module", sorted(modules()))
def test_no_module_imports_a_layer_above(module: str) -> None:
    mine = level(module)
    if mine is None:
        assert module == "hdh_assets"
        return
    for imported in imports(modules()[module]):
        other = level(imported)
        assert other is None or other <= mine, f"{module} imports {imported}, which is above it"
        if other == mine:
            assert package(imported) == package(module), f"{module} imports {imported}, beside it"


def test_no_import_goes_in_a_circle() -> None:
    known = modules()
    graph = {name: {i for i in imports(path) if i in known and i != name} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' → '.join(error.args[1])}")


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_wrappers_know_dagster(module: str) -> None:
    top, _, name = module.rpartition(".")
    may = name == "assets" or module in KNOWS_DAGSTER or top == "sensors"
    may |= top == "hdh_assets.definitions" and name not in WITHOUT_DAGSTER
    heavy = [i for i in imports(modules()[module]) if i.partition(".")[0] in {"dagster", "dagster_dbt"}]
    assert may or not heavy, f"{module} imports {heavy[0]}"


def test_test_modules_have_names_of_their_own() -> None:
    """pytest imports them by base name: two alike, in two folders, pass alone and fail the whole run."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(set(names)) == sorted(names)


def test_definitions_read_nothing_at_import() -> None:
    """Loading is a function; a module can be imported on a machine without home, lake or manifest."""
    for name in ("trusted_third_party", "hub"):
        tree = ast.parse((ROOT / "hdh_assets" / "definitions" / f"{name}.py").read_text("utf-8"))
        called = [
            node
            for statement in tree.body
            if isinstance(statement, ast.Assign | ast.Expr | ast.AnnAssign)
            for node in ast.walk(statement)
            if isinstance(node, ast.Call)
        ]
        assert [ast.unparse(call) for call in called] in ([], ["logging.getLogger(__name__)"])
