"""A folder of Athena files is loaded when it is whole and in Athena's layout; otherwise the message says why not."""

import pytest
from athena_folder import Vocabulary

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.standard.sources_yml import PROJECT
from hdh_assets.standard.vocabulary import check_vocabulary, lacking


@pytest.fixture
def folder(tmp_path):
    vocabulary = Vocabulary()
    vocabulary.add(10, "SNOMED", "1", "Condition")
    vocabulary.add(11, "SNOMED", "2", "Condition", maps_to=10)
    vocabulary.descend(10, [10])
    return vocabulary.write(tmp_path / "athena's")


def rewrite(folder, name, old, new):
    path = folder / name
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_a_whole_folder_passes_without_synonyms_or_strengths(folder):
    check_vocabulary(folder)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        check_vocabulary(tmp_path / "nowhere")


def test_every_missing_file_is_named_and_the_remedy_says_where_to_get_it(folder):
    (folder / "CONCEPT.csv").unlink()
    (folder / "DOMAIN.csv").unlink()
    with pytest.raises(ConfigurationError) as refused:
        check_vocabulary(folder)
    assert "CONCEPT.csv: the file is missing" in str(refused.value)
    assert "DOMAIN.csv: the file is missing" in str(refused.value)
    assert "athena.ohdsi.org" in str(refused.value.remedy)


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("CONCEPT.csv", "\t", ",", "CONCEPT.csv, line 1: the columns concept_id,"),
        ("CONCEPT.csv", "concept_code\t", "code\t", "CONCEPT.csv, line 1"),
        ("CONCEPT.csv", "19700101", "1970-01-01", "CONCEPT.csv: 2 row.s. whose valid_start_date is not a date"),
        ("CONCEPT.csv", "10\tThe", "ten\tThe", "CONCEPT.csv: 1 row.s. whose concept_id is not a number"),
        ("CONCEPT.csv", "\tCondition\t", "\t\t", "CONCEPT.csv: 2 row.s. whose domain_id is empty"),
        (
            "CONCEPT_RELATIONSHIP.csv",
            "\tMaps to\t19700101\t20991231\t",
            "\tMaps",
            "CONCEPT_RELATIONSHIP.csv: the file is cut",
        ),
        ("CONCEPT.csv", "11\tThe", "10\tThe", "CONCEPT.csv: 1 row.s. whose concept_id another row has, too"),
        ("VOCABULARY.csv", "None\t", "SNOMED\t", "VOCABULARY.csv: 1 row.s. whose vocabulary_id another row has, too"),
        ("CONCEPT_ANCESTOR.csv", "10\t10\t1\t1\n", "", "CONCEPT_ANCESTOR.csv: the file holds no row"),
        ("VOCABULARY.csv", "SNOMED\tSNOMED", "SNOMED", "VOCABULARY.csv: the file is cut or damaged"),
    ],
)
def test_what_is_wrong_with_a_file(folder, name, old, new, problem):
    rewrite(folder, name, old, new)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        check_vocabulary(folder)
    assert refused.value.remedy


def test_the_remedy_names_every_vocabulary_whose_codes_the_hub_reads(tmp_path):
    with pytest.raises(ConfigurationError) as refused:
        check_vocabulary(tmp_path)
    seed = (PROJECT / "seeds" / "athena_vocabulary.csv").read_text("utf-8").splitlines()[1:]
    assert [name for name in (line.split(",")[1] for line in seed) if name not in str(refused.value.remedy)] == []
    assert "RxNorm Extension" in str(refused.value.remedy)


def test_what_the_hub_names_and_the_folder_lacks_is_counted(tmp_path):
    stub = (PROJECT / "seeds" / "concept_stub.csv").read_text("utf-8").splitlines()[1:]
    vocabulary = Vocabulary()
    vocabulary.add(439727, "SNOMED", "a target", "Condition")
    named, targets = lacking(vocabulary.write(tmp_path / "without"))
    assert named == len(stub)
    for line in stub[1:]:
        vocabulary.add(int(line.split(",")[0]), "Visit", line, "Visit")
    assert lacking(vocabulary.write(tmp_path / "with")) == (1, targets - 2)  # two are sexes, of the map as well


def test_concepts_that_cannot_be_read_are_refused(folder):
    (folder / "CONCEPT.csv").write_text("nothing\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"CONCEPT\.csv: the file is cut or damaged"):
        lacking(folder)


def test_bytes_that_are_no_utf8(folder):
    (folder / "CONCEPT.csv").write_bytes((folder / "CONCEPT.csv").read_bytes().replace(b"The", b"Th\xe9"))
    with pytest.raises(ConfigurationError, match=r"CONCEPT\.csv: the file is cut or damaged"):
        check_vocabulary(folder)
