"""What each rule of the intake says to the producer, in English and French: what was expected, found, and to do next.

Texts only. A text may name columns, counts and limits through its fields; it never holds a value of a row.
"""

from __future__ import annotations

from typing import NamedTuple


class RuleText(NamedTuple):
    """One rule's words. Fields in braces are filled from the problem's details."""

    expected_en: str
    expected_fr: str
    found_en: str
    found_fr: str
    next_en: str
    next_fr: str


_RESEAL = ("seal the files again and deliver again", "scellez à nouveau les fichiers et livrez à nouveau")
_CORRECT = (
    "correct the export, seal and deliver again",
    "corrigez l'export, scellez et livrez à nouveau",
)
_ROWS = (
    "correct these rows at the source; the next delivery of the period replaces this one",
    "corrigez ces lignes à la source ; la prochaine livraison de la période remplace celle-ci",
)
NEXT_WHEN_REFUSED = {
    _ROWS: ("correct these rows, seal and deliver again", "corrigez ces lignes, scellez et livrez à nouveau")
}
"""What to do instead, in English and French, where the delivery is refused: nothing of it is there to be replaced."""
_QUOTES = (
    "write fields with the declared quote, doubled inside, or without any; then seal and deliver again",
    "écrivez les champs avec le guillemet déclaré, doublé à l'intérieur, ou sans guillemet ; puis scellez et livrez",
)

MANIFEST_RULES: dict[str, RuleText] = {
    "manifest_malformed": RuleText(
        "a manifest as `hdh deliver` writes it: {expected}",
        "un manifeste tel que `hdh deliver` l'écrit : {expected_fr}",
        "something else",
        "autre chose",
        "write the manifest with `hdh deliver`",
        "écrivez le manifeste avec `hdh deliver`",
    ),
    "manifest_unknown_field": RuleText(
        "only the fields of a manifest",
        "les seuls champs d'un manifeste",
        "a field that a manifest does not have",
        "un champ qu'un manifeste n'a pas",
        *_RESEAL,
    ),
    "manifest_too_large": RuleText(
        "a manifest of at most 4 MiB",
        "un manifeste d'au plus 4 Mio",
        "a larger one",
        "un manifeste plus gros",
        *_RESEAL,
    ),
    "manifest_not_a_file": RuleText(
        "manifest.json as a plain file",
        "manifest.json comme fichier ordinaire",
        "a folder, a link or a special file",
        "un dossier, un lien ou un fichier spécial",
        *_RESEAL,
    ),
    "file_name": RuleText(
        "plain file names: letters, digits, `.`, `_`, `-`, no path",
        "des noms de fichier simples : lettres, chiffres, `.`, `_`, `-`, sans chemin",
        "a name with something else",
        "un nom qui contient autre chose",
        "rename the file after its table, seal and deliver again",
        "renommez le fichier d'après sa table, scellez et livrez à nouveau",
    ),
    "duplicate_file": RuleText(
        "each file once, whatever the case of its name, and never the manifest itself",
        "chaque fichier une fois, quelle que soit la casse, et jamais le manifeste lui-même",
        "the same name twice, or the manifest",
        "deux fois le même nom, ou le manifeste",
        *_RESEAL,
    ),
    "same_part": RuleText(
        "one file for a table, or for each numbered part of it",
        "un fichier par table, ou par morceau numéroté de celle-ci",
        "another file of the same table and part",
        "un autre fichier de la même table et du même morceau",
        "keep one of them, or number the parts, then seal and deliver again",
        "gardez-en un, ou numérotez les morceaux, puis scellez et livrez à nouveau",
    ),
    "unknown_dataset": RuleText(
        "one of the datasets of this hub",
        "un des jeux de données de ce hub",
        "a dataset no descriptor has",
        "un jeu de données qu'aucun descripteur ne décrit",
        "check the name of the folder; `hdh dataset list` gives those that exist",
        "vérifiez le nom du dossier ; `hdh dataset list` donne ceux qui existent",
    ),
    "wrong_place": RuleText(
        "{field} `{expected}`, as the folder or the descriptor says",
        "{field_fr} `{expected}`, comme le disent le dossier ou le descripteur",
        "{found}",
        "{found_fr}",
        "put the delivery in the right folder or seal it for the right period",
        "placez la livraison dans le bon dossier ou scellez-la pour la bonne période",
    ),
    "wrong_period": RuleText(
        "a period such as {expected}, from then to the one in progress",
        "une période comme {expected}, de celle-là à celle en cours",
        "another form, or a period outside",
        "une autre forme, ou une période en dehors",
        *_RESEAL,
    ),
    "newer_descriptor": RuleText(
        "descriptor version {expected} or earlier",
        "la version {expected} du descripteur ou une version antérieure",
        "a later version",
        "une version postérieure",
        "tell the hub's operator, whose descriptor is older than yours",
        "prévenez l'exploitant du hub, dont le descripteur est plus ancien que le vôtre",
    ),
    "sealed_in_the_future": RuleText(
        "a seal no later than now",
        "un scellement qui ne soit pas postérieur à maintenant",
        "one in the future",
        "un scellement dans le futur",
        "set the clock of the machine that seals, then seal and deliver again",
        "réglez l'horloge de la machine qui scelle, puis scellez et livrez à nouveau",
    ),
    "more_problems": RuleText(
        "a delivery with fewer problems",
        "une livraison qui a moins de problèmes",
        "more than the {expected} listed",
        "plus que les {expected} listés",
        *_CORRECT,
    ),
    "problems_left_off": RuleText(
        "a delivery with fewer problems",
        "une livraison qui a moins de problèmes",
        "{found} more than the {expected} listed, in {files} file{files_s}",
        "{found} de plus que les {expected} listés, dans {files} fichier{files_s}",
        *_CORRECT,
    ),
    "missing_file": RuleText(
        "every file the manifest lists",
        "tous les fichiers que le manifeste liste",
        "no such file",
        "fichier absent",
        *_RESEAL,
    ),
    "surplus_file": RuleText(
        "only the files the manifest lists",
        "les seuls fichiers que le manifeste liste",
        "a file that it does not list",
        "un fichier qu'il ne liste pas",
        *_RESEAL,
    ),
    "not_a_plain_file": RuleText(
        "plain files only, each under one name",
        "des fichiers ordinaires seulement, chacun sous un seul nom",
        "a folder, a link (hard links too) or a special file",
        "un dossier, un lien (même physique) ou un fichier spécial",
        "deliver the file itself, then seal again",
        "livrez le fichier lui-même, puis scellez à nouveau",
    ),
    "wrong_size": RuleText(
        "{expected} byte{expected_s}, as sealed",
        "{expected} octet{expected_s}, comme scellé",
        "{found} byte{found_s}",
        "{found} octet{found_s}",
        *_RESEAL,
    ),
    "wrong_digest": RuleText(
        "the SHA-256 that was sealed",
        "l'empreinte SHA-256 scellée",
        "another one: the file changed after sealing",
        "une autre : le fichier a changé après le scellement",
        *_RESEAL,
    ),
    "wrong_rows": RuleText(
        "{expected} row{expected_s}, as sealed",
        "{expected} ligne{expected_s}, comme scellé",
        "{found} row{found_s}",
        "{found} ligne{found_s}",
        "check that the export is whole, then seal and deliver again",
        "vérifiez que l'export est complet, puis scellez et livrez à nouveau",
    ),
    "unknown_table": RuleText(
        "a {kind} file named after one of the tables: {expected}",
        "un fichier {kind} nommé d'après une des tables : {expected}",
        "a name that is none of them",
        "un nom qui n'en est pas un",
        "rename the file after its table, seal and deliver again",
        "renommez le fichier d'après sa table, scellez et livrez à nouveau",
    ),
    "missing_table": RuleText(
        "a file of table {expected}",
        "un fichier de la table {expected}",
        "none",
        "aucun",
        "add the file, even with its header alone, then seal and deliver again",
        "ajoutez le fichier, même avec son seul en-tête, puis scellez et livrez à nouveau",
    ),
}

BYTES_RULES: dict[str, RuleText] = {
    "empty_file": RuleText("a header line", "une ligne d'en-tête", "an empty file", "un fichier vide", *_CORRECT),
    "encoding": RuleText(
        "text in {expected}",
        "du texte en {expected}",
        "bytes that are not",
        "des octets qui n'en sont pas",
        "export in the declared encoding, then seal and deliver again",
        "exportez dans l'encodage déclaré, puis scellez et livrez à nouveau",
    ),
    "byte_order_mark": RuleText(
        "{expected} byte-order mark at the start",
        "{expected_fr} d'ordre des octets (BOM) au début",
        "one is {found}",
        "un BOM est {found_fr}",
        "export in the declared encoding, then seal and deliver again",
        "exportez dans l'encodage déclaré, puis scellez et livrez à nouveau",
    ),
    "nul_byte": RuleText("text", "du texte", "a NUL byte", "un octet nul", *_CORRECT),
    "line_ending": RuleText(
        "the same line ending everywhere: LF or CR LF",
        "la même fin de ligne partout : LF ou CR LF",
        "another one",
        "une autre",
        *_CORRECT,
    ),
    "blank_line": RuleText(
        "a row on every line", "une ligne de données par ligne", "a blank line", "une ligne vide", *_CORRECT
    ),
    "quoting": RuleText(
        "quotes around whole fields, doubled inside",
        "des guillemets autour de champs entiers, doublés à l'intérieur",
        "a quote elsewhere",
        "un guillemet ailleurs",
        *_QUOTES,
    ),
    "unclosed_quote": RuleText(
        "a closing quote",
        "un guillemet fermant",
        "a quote that is never closed",
        "un guillemet jamais fermé",
        *_QUOTES,
    ),
    "ragged_row": RuleText(
        "{expected} field{expected_s} on every line",
        "{expected} champ{expected_s} par ligne",
        "another number of fields",
        "un autre nombre de champs",
        *_CORRECT,
    ),
    "line_too_long": RuleText(
        "lines under {expected} bytes",
        "des lignes de moins de {expected} octets",
        "a longer one",
        "une ligne plus longue",
        *_CORRECT,
    ),
    "unreadable_text": RuleText(
        "delimited text as declared",
        "du texte délimité comme déclaré",
        "text that cannot be read so",
        "du texte illisible ainsi",
        *_CORRECT,
    ),
    "gzip_damaged": RuleText(
        "a whole gzip file", "un fichier gzip complet", "a cut or damaged one", "un fichier tronqué ou abîmé", *_CORRECT
    ),
    "gzip_bomb": RuleText(
        "a file that grows at most {expected} times when decompressed",
        "un fichier qui grossit d'au plus {expected} fois une fois décompressé",
        "one that grows more",
        "un fichier qui grossit davantage",
        "deliver the file uncompressed",
        "livrez le fichier sans compression",
    ),
    "parquet_damaged": RuleText(
        "a Parquet file that a strict reader takes whole",
        "un fichier Parquet qu'un lecteur strict lit en entier",
        "one that it refuses",
        "un fichier qu'il refuse",
        "write the file again with page checksums, then seal and deliver again",
        "réécrivez le fichier avec sommes de contrôle, puis scellez et livrez à nouveau",
    ),
    "parquet_too_costly": RuleText(
        "a Parquet file that is read within {expected}",
        "un fichier Parquet lisible dans la limite de {expected_fr}",
        "one that is not",
        "un fichier qui la dépasse",
        "write smaller row groups, or several files",
        "écrivez des groupes de lignes plus petits, ou plusieurs fichiers",
    ),
}

HEADER_RULES: dict[str, RuleText] = {
    "duplicate_column": RuleText(
        "each column once", "chaque colonne une fois", "a column twice", "une colonne deux fois", *_CORRECT
    ),
    "unknown_column": RuleText(
        "only the declared columns",
        "les seules colonnes déclarées",
        "a column at position {position} that is not declared",
        "en position {position}, une colonne non déclarée",
        "remove it, or ask the hub to add it to the descriptor",
        "retirez-la, ou demandez au hub de l'ajouter au descripteur",
    ),
    "missing_column": RuleText(
        "every declared column", "toutes les colonnes déclarées", "no such column", "colonne absente", *_CORRECT
    ),
    "column_type": RuleText(
        "columns that each hold one text, number, date or instant a row",
        "des colonnes qui portent chacune un texte, un nombre, une date ou un instant par ligne",
        "a column at position {position} of another type, such as a list, or of bytes that are no text in UTF-8",
        "en position {position}, une colonne d'un autre type, comme une liste, ou d'octets qui ne sont pas de l'UTF-8",
        *_CORRECT,
    ),
    "column_order": RuleText(
        "the columns in the declared order",
        "les colonnes dans l'ordre déclaré",
        "another order",
        "un autre ordre",
        *_CORRECT,
    ),
    "header": RuleText(
        "a header line with the declared columns, separated by `{expected}`",
        "une ligne d'en-tête avec les colonnes déclarées, séparées par `{expected}`",
        "a first line in which none of them is found",
        "une première ligne où aucune ne se trouve",
        *_CORRECT,
    ),
}

ROW_RULES: dict[str, RuleText] = {
    "required": RuleText("a value", "une valeur", "none", "aucune", *_ROWS),
    "type": RuleText(
        "{expected}", "{expected_fr}", "a value that is not one", "une valeur qui ne se lit pas ainsi", *_ROWS
    ),
    "length": RuleText(
        "at most {expected} character{expected_s}",
        "au plus {expected} caractère{expected_s}",
        "longer text",
        "un texte plus long",
        *_ROWS,
    ),
    "in_list": RuleText("one of the declared codes", "un des codes déclarés", "another code", "un autre code", *_ROWS),
    "range": RuleText("{expected}", "{expected}", "a value outside", "une valeur en dehors", *_ROWS),
    "order": RuleText(
        "a value not before {expected}",
        "une valeur qui ne précède pas {expected}",
        "an earlier one",
        "une valeur antérieure",
        *_ROWS,
    ),
    "pattern": RuleText(
        "text of the form `{expected}`", "un texte de la forme `{expected}`", "another form", "une autre forme", *_ROWS
    ),
    "duplicate_key": RuleText(
        "each key once: {expected}",
        "chaque clé une fois : {expected}",
        "rows with the same key",
        "des lignes de même clé",
        *_ROWS,
    ),
    "other_period": RuleText(
        "rows that no other period brought: {expected}",
        "des lignes qu'aucune autre période n'a apportées : {expected}",
        "rows of another period, which count twice",
        "des lignes d'une autre période, qui comptent double",
        "deliver again the period that was given the files of another",
        "livrez à nouveau la période à laquelle les fichiers d'une autre ont été donnés",
    ),
    "orphan": RuleText(
        "a row of {expected} with the same key",
        "une ligne de {expected} avec la même clé",
        "rows without one",
        "des lignes qui n'en ont pas",
        *_ROWS,
    ),
    "too_many_rejects": RuleText(
        "at most {expected} of the rows rejected",
        "au plus {expected_fr} de lignes rejetées",
        "{found}",
        "{found_fr}",
        *_CORRECT,
    ),
}

RULES: dict[str, RuleText] = MANIFEST_RULES | BYTES_RULES | HEADER_RULES | ROW_RULES
"""Every rule of the intake by name."""
