"""The persons every generator draws from, so that the same people appear in every dataset.

One row per person in `person`: families of five (two adults, then children of theirs, or adults alone), a French
social security number, birth, sex, death, two successive homes, a scheme, and the pseudonyms the health insurance gave
them. A person born since 1988 first had the pseudonyms of one or two parents, then an own one at eighteen; twins of
the same sex share theirs. What care they get belongs to the generators.
"""

from __future__ import annotations

import duckdb

from hdh_assets.sources.synth.engine import run

FICTITIOUS_PER_THOUSAND = 6
UNSENT_PER_THOUSAND = 30
TWINS_PER_THOUSAND = 30
HISTORY_STARTS = "DATE '2010-01-01'"
"""Nobody of the population died before."""


def make_population(con: duckdb.DuckDBPyConnection, persons: int, seed: int) -> None:
    """Create table `person`, one row per person, numbered `i` from 0."""
    run(con, "commune_slot")
    run(con, "person_born", persons=persons, seed=seed, twins=TWINS_PER_THOUSAND)
    run(con, "person_numbered")
    run(con, "person_lived", start=HISTORY_STARTS)
    run(con, "person_identified", fictitious=FICTITIOUS_PER_THOUSAND, unsent=UNSENT_PER_THOUSAND)
    for name in ("born", "numbered", "lived"):
        con.execute(f"DROP TABLE {name}")
