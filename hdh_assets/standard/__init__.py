"""Standardisation: the dbt project bound to the lake, from delivered tables to OMOP CDM 5.4.

Here: running dbt on a home, what it must know of the datasets, and what it answers. Not here: the rules themselves,
which are the models of `dbt_project/`.
"""
