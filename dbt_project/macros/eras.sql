{#
    Eras of one concept per person: rows that begin at most 30 days after everything before them has ended are joined.
    Gives person_id, concept_id, start_date, end_date, rows and days (with exposure, overlaps counted once).
    Source: OHDSI's era scripts; the persistence window is theirs.
    Rows of the same dates must come in the same order in both windows: `ended_before` tells which came first in the
    first one. Otherwise one era became two of one id, now and then.
#}
{% macro eras(relation, concept, start, end) -%}
    with spell as (
        select person_id, {{ concept }} as concept_id, {{ start }} as start_date, {{ end }} as end_date
        from {{ relation }}
        where {{ concept }} <> 0 and {{ scope_condition('person_id') }}
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
