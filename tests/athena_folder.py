"""A folder of Athena files in Athena's layout, of a vocabulary invented for the codes that a test names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_DATES = ("19700101", "20991231", "")
_COLUMNS = {
    "CONCEPT": "concept_id concept_name domain_id vocabulary_id concept_class_id standard_concept concept_code"
    " valid_start_date valid_end_date invalid_reason",
    "VOCABULARY": "vocabulary_id vocabulary_name vocabulary_reference vocabulary_version vocabulary_concept_id",
    "DOMAIN": "domain_id domain_name domain_concept_id",
    "CONCEPT_CLASS": "concept_class_id concept_class_name concept_class_concept_id",
    "CONCEPT_RELATIONSHIP": "concept_id_1 concept_id_2 relationship_id valid_start_date valid_end_date invalid_reason",
    "RELATIONSHIP": "relationship_id relationship_name is_hierarchical defines_ancestry reverse_relationship_id"
    " relationship_concept_id",
    "CONCEPT_SYNONYM": "concept_id concept_synonym_name language_concept_id",
    "CONCEPT_ANCESTOR": "ancestor_concept_id descendant_concept_id min_levels_of_separation max_levels_of_separation",
    "DRUG_STRENGTH": "drug_concept_id ingredient_concept_id amount_value amount_unit_concept_id numerator_value"
    " numerator_unit_concept_id denominator_value denominator_unit_concept_id box_size valid_start_date valid_end_date"
    " invalid_reason",
}


@dataclass
class Vocabulary:
    """Concepts, links and ancestors as they are added; `write` makes the folder."""

    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def add(
        self, concept_id: int, vocabulary: str, code: str, domain: str, kind: str = "Clinical", maps_to: int | None = 0
    ) -> None:
        """A concept; standard unless it maps to another (or, with None, to nothing)."""
        standard = "S" if maps_to == 0 else ""
        name = f'The "{code}" of {vocabulary}'  # quotes are ordinary characters in Athena's files
        self.rows["CONCEPT"].append((concept_id, name, domain, vocabulary, kind, standard, code, *_DATES))
        if maps_to is not None:
            self.rows["CONCEPT_RELATIONSHIP"].append((concept_id, maps_to or concept_id, "Maps to", *_DATES))

    def descend(self, descendant: int, ancestors: Iterable[int]) -> None:
        """The concept comes from these, one level up."""
        self.rows["CONCEPT_ANCESTOR"] += [(ancestor, descendant, 1, 1) for ancestor in ancestors]

    def write(self, folder: Path) -> Path:
        """The nine files, tab-separated, without quotes."""
        concepts = self.rows["CONCEPT"]
        self.rows["VOCABULARY"] = [("None", "Invented", "the test", "v5.0 TEST", 0)]
        self.rows["VOCABULARY"] += [
            (name, name, "the test", "", 0) for name in sorted({str(row[3]) for row in concepts})
        ]
        self.rows["DOMAIN"] = [(name, name, 0) for name in sorted({str(row[2]) for row in concepts})]
        self.rows["CONCEPT_CLASS"] = [(name, name, 0) for name in sorted({str(row[4]) for row in concepts})]
        self.rows["RELATIONSHIP"] = [("Maps to", "Maps to", "0", "0", "Mapped from", 0)]
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in _COLUMNS.items():
            lines = [columns.split(), *self.rows[name]]
            text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
            (folder / f"{name}.csv").write_text(text, "utf-8")
        return folder
