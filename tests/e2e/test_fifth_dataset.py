"""Adding a dataset is adding one file: assets, checks, catalogue entry, synthetic deliveries, partitions follow."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest
from hubs import DATASET, drop, hdh, take_in_all

from hdh_assets.core.home import Home
from hdh_assets.definitions import hub, trusted_third_party


def test_one_file_gives_assets_checks_and_an_entry(fifth: Home) -> None:
    graph = trusted_third_party.build_defs(home=fifth).resolve_asset_graph()
    node = next(graph.get(k) for k in graph.get_all_asset_keys() if k.path == ["sources", DATASET, "readings"])
    assert {key.name for key in node.check_keys} >= {"required", "type", "in_list", "range", "duplicate_key"}
    assert node.partitions_def.has_partition_key("2023-01")
    keys = [key.path for key in hub.build_defs(home=fifth).resolve_asset_graph().get_all_asset_keys()]
    assert ["catalog", "datasets", DATASET] in keys


def test_one_file_gives_deliveries_a_release_and_an_entry(fifth: Home, tmp_path: Path) -> None:
    made = tmp_path / "made"
    hdh("synth", DATASET, "--persons", "20", "--from", "2024-01", "--to", "2024-02", "--out", str(made))
    hdh("deliver", DATASET, "2024-01", str(made / DATASET / "2024-01"))
    dropped = json.loads(hdh("deliver", "--all", str(made), "--json"))
    assert [(each["dataset"], each["period"]) for each in dropped] == [(DATASET, "2024-02")]
    drop(
        fifth,
        "2024-03",
        text="R1;U1;31/02/2024;70,5;1\n" + "".join(f"R{n};U1;01/03/2024;70,5;1\n" for n in range(2, 300)),
    )

    done = json.loads(hdh("tick", "--json"))

    assert [run["success"] for run in done["runs"]] == [True] * 4
    shown = json.loads(hdh("dataset", "show", DATASET, "--json"))
    entry = shown["entry"]
    assert [delivery["period"] for delivery in entry["deliveries"]] == ["2024-01", "2024-02", "2024-03"]
    assert entry["rejected_by_rule"] == {"type": 1}
    assert entry["tables"]["readings"]["completeness"]["weighed_on"] == 1.0
    assert (
        entry["persons"]
        == json.loads(hdh("sql", "--json", f"SELECT count(DISTINCT user_id) n FROM {DATASET}.readings"))[0]["n"]
    )
    assert len(json.loads(hdh("release", "list", "--json"))) == 1
    assert places_of_runs(fifth) == {"take_in": "trusted_third_party", "standardise": "hub"}
    assert json.loads(hdh("tick", "--json"))["runs"] == []


def places_of_runs(home: Home) -> dict[str, str]:
    """Code location of the jobs that ran: the UI starts a run again only where it knows it."""
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        runs = instance.get_runs()
    assert all(run.remote_job_origin for run in runs)
    return {
        "take_in" if run.tags["hdh/work"] == "intake" else run.job_name: run.remote_job_origin.location_name
        for run in runs
    }


def test_a_refused_delivery_and_one_of_nobody_are_answers_not_failed_runs(fifth: Home) -> None:
    folder = drop(fifth, "2024-01")
    stranger = fifth.inbox / "balances" / "unheard_of" / "2024-01"
    stranger.parent.mkdir(parents=True)
    folder.rename(stranger)
    drop(fifth, "2024-01", text="R1;U1\n")
    done = json.loads(hdh("tick", "--json"))
    assert [run["success"] for run in done["runs"]] == [True, True]
    assert "answer a delivery without a place" in {run["what"] for run in done["runs"]}
    assert [receipt["status"] for receipt in json.loads(hdh("receipts", DATASET, "--json"))] == ["refused"]
    assert not stranger.exists()
    told = {each["dataset"]: each["receipt"] for run in done["runs"] for each in run["refused"]}
    assert told.keys() == {DATASET, "unheard_of"}
    assert all(Path(path).read_text("utf-8").startswith("# ") for path in told.values())
    drop(fifth, "2024-01", text="R2;U2\n")
    done, _ = json.JSONDecoder().raw_decode(hdh("backfill", DATASET, "--from", "2024-01", "--json", expect=1))
    assert [each["dataset"] for run in done["runs"] for each in run["refused"]] == [DATASET]


def test_backfill_takes_periods_in_again_and_passes_over_those_never_delivered(fifth: Home) -> None:
    for period in ("2024-01", "2024-02"):
        drop(fifth, period)
    take_in_all(fifth)
    done = json.loads(hdh("backfill", DATASET, "--from", "2024-01", "--to", "2024-04", "--json"))
    assert [run["period"] for run in done["runs"]] == ["2024-01", "2024-02"]
    assert done["not_delivered"] == ["2024-03", "2024-04"]
    rows = json.loads(
        hdh("sql", "--json", f"SELECT _period p, count(*) n FROM {DATASET}.readings GROUP BY 1 ORDER BY 1")
    )
    assert rows == [{"p": "2024-01", "n": 20}, {"p": "2024-02", "n": 20}]


@pytest.mark.slow
def test_what_a_backfill_changes_reaches_the_catalogue_and_a_release(fifth: Home) -> None:
    """A code that the descriptor did not know cost a row; once it does, the period is taken in again."""
    drop(fifth, "2024-01", text="".join(f"R{n};U1;01/01/2024;70,5;{3 if n == 7 else 1}\n" for n in range(300)))
    hdh("tick")
    assert measured() == (299, {"in_list": 1}, 1)
    descriptor = fifth.datasets / "fifth.yaml"
    corrected = descriptor.read_text("utf-8").replace('"2": sitting', '"2": sitting, "3": lying')
    descriptor.write_text(corrected.replace("version: 1\n", "version: 2\n", 1), "utf-8")
    hdh("tick")
    assert measured() == (299, {"in_list": 1}, 1)
    again = f"backfill {DATASET} --from 2024-01 --to 2024-01"
    assert again in hdh("dataset", "show", DATASET)
    hdh(*again.split())
    assert again not in hdh("dataset", "show", DATASET)
    hdh("tick")
    assert measured() == (300, {}, 2)
    assert json.loads(hdh("tick", "--json"))["runs"] == []


def measured() -> tuple[int, dict[str, int], int]:
    """Rows and rejects in the catalogue entry, and the newest release."""
    entry = json.loads(hdh("dataset", "show", DATASET, "--json"))["entry"]
    assert entry["rows"] == entry["tables"]["readings"]["rows"]
    return entry["rows"], entry["rejected_by_rule"], json.loads(hdh("release", "list", "--json"))[-1]["number"]
