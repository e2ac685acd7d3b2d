{#
    The scope: which (person, care month) pairs the run must recompute. Person 0 stands for everyone.
    `scope_facts` reads it once per model; the predicates below take its answer, so that only what the scope
    really holds is joined and files outside its months are pruned.
#}
{% macro scope_facts() %}
    {% set empty = {'everyone': false, 'persons': 0, 'months': 0, 'first': none, 'last': none} %}
    {% if not execute %}{{ return(empty) }}{% endif %}
    {% set row = run_query(
        "select coalesce(bool_or(person_id = 0), false), count(*) filter (care_month is null),"
        ~ " count(care_month), min(care_month), max(care_month) from " ~ target.database ~ ".staging.int_hub__scope"
    ).rows[0] %}
    {{ return({'everyone': row[0], 'persons': row[1], 'months': row[2], 'first': row[3], 'last': row[4]}) }}
{% endmacro %}


{# SQL condition: the row of `person` (and of the month of `date`, if given) is in scope. #}
{% macro in_scope(facts, person, date=none) -%}
    {%- set scope = target.database ~ '.staging.int_hub__scope' -%}
    {%- if facts.everyone -%}
        true
    {%- elif date is none -%}
        {{ person }} in (select person_id from {{ scope }})
    {%- elif not facts.months -%}
        {{ person }} in (select person_id from {{ scope }} where care_month is null)
    {%- elif not facts.persons -%}
        (
            {{ date }} >= date '{{ facts.first }}'
            and {{ date }} < date '{{ facts.last }}' + interval 1 month
            and ({{ person }}, cast(date_trunc('month', {{ date }}) as date))
                in (select (person_id, care_month) from {{ scope }})
        )
    {%- else -%}
        (
            {{ person }} in (select person_id from {{ scope }} where care_month is null)
            or ({{ person }}, cast(date_trunc('month', {{ date }}) as date))
                in (select (person_id, care_month) from {{ scope }} where care_month is not null)
        )
    {%- endif -%}
{%- endmacro %}
