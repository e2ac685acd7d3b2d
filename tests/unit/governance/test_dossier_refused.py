"""Tables that the hub has and a dossier cannot ask for, or not as a whole, told with the reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hdh_assets.extracts.askable import nothing_of_all
from hdh_assets.extracts.deliverable import deliverable, needed, undeliverable
from hdh_assets.governance.dossier import DossierError, check_dossier
from tests.extract_hub import write_dossier
from tests.integration.intake_world import column, dataset, text

TODAY = date(2024, 1, 1)


def test_a_table_that_leads_to_no_person_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Granted, it would be tried again for ever."""
    lonely = {"name": "LONELY", "title": text("L"), "description": text("L"), "columns": [column("N", "integer")]}
    datasets = {"care": dataset(tables=[dataset().tables[0].model_dump(exclude_unset=True), lonely])}
    known = deliverable(datasets)
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables={"care.lonely": "all", "care.persons": "all"})
    with pytest.raises(DossierError, match=r"care\.lonely cannot be limited to the persons of a permit") as error:
        check_dossier(path, known, TODAY, needed(known), undeliverable(datasets))
    assert len(error.value.message.splitlines()) == 1


@pytest.mark.parametrize("kind", ["person", "nir"])
def test_a_dataset_with_persons_that_does_not_say_whose_its_rows_are_is_refused_with_what_to_write(
    tmp_path: Path, kind: str
) -> None:
    """Everybody's rows would go to every project, those of persons who objected included."""
    answers = [column("N", "integer"), column("WHO", "string(15)", identifier_type=kind, role="quasi_identifier")]
    tables = [{"name": "ANSWERS", "columns": answers}, {"name": "DETAILS", "columns": [column("N", "integer")]}]
    words = {"title": text("T"), "description": text("T")}
    survey = dataset("survey", sensitivity="pseudonymised", tables=[each | words for each in tables])
    datasets = {"care": dataset(), "survey": survey}
    known = deliverable(datasets)
    asked = {"survey.answers": ["n"], "survey.details": "all", "care.persons": "all"}
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables=asked)
    with pytest.raises(DossierError, match=r"survey\.answers is of .*\(ANSWERS\.WHO\).*`role: person_key`") as error:
        check_dossier(path, known, TODAY, needed(known), undeliverable(datasets))
    assert len(error.value.message.splitlines()) == 2


def test_all_of_a_table_that_gives_only_what_is_listed_is_refused(tmp_path: Path) -> None:
    """Granted, each run would fail for want of a column."""
    role = {"role": "quasi_identifier"}
    towns = {"name": "TOWNS", "title": text("T"), "description": text("T"), "columns": [column("T", "integer", **role)]}
    datasets = {"care": dataset(), "towns": dataset("towns", sensitivity="pseudonymised", tables=[towns])}
    known, listed = deliverable(datasets), nothing_of_all(datasets)
    assert listed == {"towns.towns"}
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables={"towns.towns": "all", "care.persons": "all"})
    with pytest.raises(DossierError) as error:
        check_dossier(path, known, TODAY, listed=listed)
    (told,) = error.value.message.splitlines()
    assert told.endswith("`all` leaves nothing of towns.towns: list the columns that are needed")
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables={"towns.towns": ["t"], "care.persons": "all"})
    assert check_dossier(path, known, TODAY, listed=listed)
