"""Takes periods of a dataset in again: `python -m hdh_assets.definitions.backfill_child PARENT DATASET PERIOD…`.

One Dagster run per period, in this process; one JSON line per run on standard output; stops at the first failure.
PARENT is the process that holds the lock of the dataset's backfill: without it, nothing more is done.
"""

from __future__ import annotations

import json
import signal
import sys

import dagster as dg

from hdh_assets.core.home import Home, Settings
from hdh_assets.core.processes import die_with_parent
from hdh_assets.definitions.execute import execute, refused_by
from hdh_assets.definitions.locations import TRUSTED_THIRD_PARTY
from hdh_assets.definitions.storage import opened_instance
from hdh_assets.definitions.trusted_third_party import build_defs


def main(parent: int, dataset: str, periods: list[str]) -> int:
    """Run the periods in order; 1 when one failed."""
    die_with_parent(signal.SIGKILL, parent=parent)
    out, sys.stdout = sys.stdout, sys.stderr
    repository = build_defs().get_repository_def()
    home = Home.resolve()
    settings = Settings.load(home)
    with opened_instance(home) as instance:
        for period in periods:
            tags = {"hdh/work": "backfill", "hdh/dataset": dataset}
            request = dg.RunRequest(job_name=dataset, partition_key=period, tags=tags)
            done = execute(home, repository, TRUSTED_THIRD_PARTY, instance, request)
            refused = refused_by(home, settings, done["run"])
            out.write(json.dumps(done | {"period": period, "refused": refused}) + "\n")
            out.flush()
            if not done["success"]:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
