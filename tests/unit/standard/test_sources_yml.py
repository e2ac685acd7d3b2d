"""dbt sources made from descriptors."""

from pathlib import Path

import yaml

from hdh_assets.core.descriptor_files import load_datasets, read_datasets
from hdh_assets.standard.sources_yml import render_sources, write_sources


def test_direct_identifiers_are_no_source_columns():
    datasets = load_datasets()
    sources = {source["name"]: source for source in yaml.safe_load(render_sources(datasets.values()))["sources"]}
    for dataset in datasets.values():
        for table in dataset.tables:
            [found] = [each for each in sources[dataset.id]["tables"] if each["name"] == table.lake_name]
            assert [each["name"] for each in found["columns"]] == [column.lake_name for column in table.lake_columns]


def test_order_of_the_datasets_does_not_matter():
    datasets = list(load_datasets().values())
    assert render_sources(datasets) == render_sources(reversed(datasets))


def test_a_dataset_without_models_is_nothing_to_dbt():
    (fifth,) = read_datasets([Path(__file__).parents[2] / "e2e" / "fifth.yaml"]).values()
    described = list(load_datasets().values())
    assert render_sources([*described, fifth]) == render_sources(described)


def test_an_unchanged_file_is_not_written_again(tmp_path):
    path = tmp_path / "_sources.yml"
    assert write_sources(load_datasets().values(), path)
    before = path.stat().st_mtime_ns
    assert not write_sources(load_datasets().values(), path)
    assert path.stat().st_mtime_ns == before
