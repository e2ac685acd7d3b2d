{#
    Eras of one concept per person: rows that begin at most 30 days after everything before them has ended are joined.
    `exposures` is a query of person_id, concept_id, start_date and end_date; `entity` is drug or condition.
    Gives person_id, concept_id, start_date, end_date, rows and days (with exposure, overlaps counted once).
    Source: OHDSI's era scripts; the persistence window is theirs.
    Rows of the same dates must come in the same order in both windows: `ended_before` tells which came first in the
    first one. Otherwise one era became two of one id, now and then.
#}
{% macro eras(exposures, entity) -%}
    {%- set reach = era_reach(scope_facts(), entity) %}
    with spell as (
        select person_id, concept_id, start_date, end_date
        from ({{ exposures }}) as exposure
        {% if reach -%}
        inner join {{ reach }} on {{ in_era_reach('person_id', 'concept_id', 'start_date') }}
        {% endif -%}
        where concept_id <> 0
    ),

    ordered as (
        select
            *,
            max(end_date) over (
                partition by person_id, concept_id
                order by start_date, end_date
                rows between unbounded preceding and 1 preceding
            ) as ended_before
        from spell
    ),

    numbered as (
        select
            *,
            count(*) filter (ended_before is null or start_date > ended_before + 30) over (
                partition by person_id, concept_id
                order by start_date, end_date, ended_before nulls first
                rows between unbounded preceding and current row
            ) as era,
            greatest(0, end_date - greatest(start_date, coalesce(ended_before + 1, start_date)) + 1) as new_days
        from ordered
    )

    select
        person_id,
        concept_id,
        min(start_date) as start_date,
        max(end_date) as end_date,
        cast(count(*) as integer) as rows_joined,
        cast(max(end_date) - min(start_date) + 1 - sum(new_days) as integer) as gap_days
    from numbered
    group by person_id, concept_id, era
{%- endmacro %}


{# With Athena a drug is its ingredients, one or several, and a drug without any is none. #}
{% macro drug_era_exposures(drug_exposure) -%}
    select
        drug.person_id,
        coalesce(ingredient.ingredient_concept_id, drug.drug_concept_id) as concept_id,
        drug.drug_exposure_start_date as start_date,
        drug.drug_exposure_end_date as end_date
    from {{ drug_exposure }} as drug
    {{ 'inner' if has_athena() else 'left' }} join ({{ ingredients() }}) as ingredient
        on ingredient.drug_concept_id = drug.drug_concept_id
{%- endmacro %}


{# A condition without an end lasts one day more than its first, as in OHDSI's script. #}
{% macro condition_era_exposures(condition_occurrence) -%}
    select
        person_id,
        condition_concept_id as concept_id,
        condition_start_date as start_date,
        coalesce(condition_end_date, condition_start_date + 1) as end_date
    from {{ condition_occurrence }}
{%- endmacro %}


{# The run's table of what the scope can reach, one row per person and concept; none when all eras are made anew. #}
{% macro era_reach(facts, entity) %}
    {% set is_partial = execute and not facts.everyone and not is_unit_test() and load_cached_relation(this) is not none %}
    {{ return('temp.main.era_reach_of_' ~ entity if is_partial) }}
{% endmacro %}


{# SQL condition of a join with that table: the row, an era or what eras are made of, is to be rewritten. #}
{% macro in_era_reach(person, concept, start) -%}
    reached_person_id = {{ person }}
    and reached_concept_id = {{ concept }}
    and {{ start }} between first_date and last_date
{%- endmacro %}


{#
    Before the eras are rewritten: for each person and concept in scope, the first and the last date that rewritten eras can
    have, from the rows of `relation` that are in scope, as `exposures_of` reads them. Of a person all of whose dates are in
    scope, everything. Of single dates, what they touch: the eras that hold such a date, where rows may have gone; the rows
    that begin on one; and the eras that those join. An era out of reach is more than 30 days from all of them and stays as
    it is.
#}
{% macro keep_era_reach(exposures_of, relation, entity) %}
    {%- set facts = scope_facts() -%}
    {%- set reach = era_reach(facts, entity) -%}
    {%- if reach -%}
    {%- set exposures = exposures_of(rows_in_scope(relation, dated_tables()[relation.identifier][1])) -%}
    create or replace temp table {{ reach }} as
    with care as (
        select person_id, care_date from {{ scope_relation() }} where care_date > {{ no_care_date() }}
    ),

    fresh as (
        select person_id, concept_id, start_date, end_date
        from ({{ exposures }}) as exposure
        where
            concept_id <> 0
            and {{ 'start_date between ' ~ dates_in_scope(facts) if facts.dates else 'false' }}
            and (person_id, start_date) in (select (person_id, care_date) from care)
    ),

    kept as (
        select
            person_id,
            {{ entity }}_concept_id as concept_id,
            {{ entity }}_era_start_date as start_date,
            {{ entity }}_era_end_date as end_date
        from {{ this }}
    ),

    touched as (
        select * from fresh
        union all
        select kept.*
        from kept
        inner join care on care.person_id = kept.person_id and care.care_date between kept.start_date and kept.end_date
        union all
        select kept.*
        from kept
        inner join fresh
            on
                fresh.person_id = kept.person_id
                and fresh.concept_id = kept.concept_id
                and fresh.start_date <= kept.end_date + 30
                and kept.start_date <= fresh.end_date + 30
        {% if facts.persons -%}
        union all
        select person_id, concept_id, date '0001-01-01', date '9999-12-31'
        from (select person_id, concept_id from ({{ exposures }}) as exposure union all select person_id, concept_id from kept)
        where person_id in (select person_id from {{ scope_relation() }} where care_date is null)
        {%- endif %}
    )

    select
        person_id as reached_person_id,
        concept_id as reached_concept_id,
        min(start_date) as first_date,
        max(end_date) as last_date
    from touched
    group by person_id, concept_id
    {%- endif -%}
{% endmacro %}
