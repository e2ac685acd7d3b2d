{#
    Deliveries of the dataset that entered or left the current set since the last complete run: ids as SQL lists
    (`added`, `removed`, `touched`; empty text when none) and `any`.
#}
{% macro pending_deliveries(dataset) %}
    {% if not execute %}{{ return({'added': '', 'removed': '', 'touched': '', 'any': false}) }}{% endif %}
    {% set rows = run_query(
        "with present as (select delivery_id from lake.meta.delivery where status = 'current' and dataset = '" ~ dataset
        ~ "'), done as (select delivery_id from lake.staging.int_hub__standardised where dataset = '" ~ dataset ~ "')"
        ~ " select delivery_id, true as added from present anti join done using (delivery_id)"
        ~ " union all select delivery_id, false from done anti join present using (delivery_id) order by all"
    ).rows %}
    {% set added = rows | selectattr(1) | map(attribute=0) | map('string') | list %}
    {% set removed = rows | rejectattr(1) | map(attribute=0) | map('string') | list %}
    {{ return({
        'added': uuid_list(added), 'removed': uuid_list(removed), 'touched': uuid_list(added + removed),
        'any': rows | length > 0,
    }) }}
{% endmacro %}


{% macro uuid_list(ids) %}
    {{ return(("'" ~ ids | join("'::uuid, '") ~ "'::uuid") if ids else '') }}
{% endmacro %}


{# The stored relations of these models, or none when one of them does not exist yet. #}
{% macro kept_relations(names) %}
    {% set found = [] %}
    {% for name in names %}
        {% set relation = adapter.get_relation(database=target.database, schema='staging', identifier=name) %}
        {% if relation %}{% do found.append(relation) %}{% endif %}
    {% endfor %}
    {{ return(found if found | length == names | length else none) }}
{% endmacro %}


{# Rows of these columns that are in one of the two relations only, as a subquery. #}
{% macro differing(fresh, kept, columns) -%}
    (
        (select {{ columns }} from {{ fresh }} except select {{ columns }} from {{ kept }})
        union all
        (select {{ columns }} from {{ kept }} except select {{ columns }} from {{ fresh }})
    )
{%- endmacro %}
