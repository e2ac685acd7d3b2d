"""The number OMOP calls a person by, as SQL: the same expression as `hub_id(['person', …])` of the dbt project."""

from __future__ import annotations


def person_number(*parts: str) -> str:
    """SQL of the person number made of these SQL expressions: a hub pseudonym, and the rank where one goes with it."""
    text = " || '|' || ".join(f"coalesce(CAST({part} AS VARCHAR), '')" for part in parts)
    return f"CAST(md5_number_lower('person|' || {text}) >> 1 AS BIGINT)"
