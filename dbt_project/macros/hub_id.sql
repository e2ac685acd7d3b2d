{#
    A positive 63-bit identifier of a natural key: `hub_id(['drug', 'person_id', 'code'])`.

    The first part is a literal domain, so that equal keys of different things get different ids; the others are SQL
    expressions. Null and the empty text count as the same. Depends on the values alone, never on order or on the run.
#}
{% macro hub_id(parts) -%}
    cast(md5_number_lower('{{ parts[0] }}'
        {%- for part in parts[1:] %} || '|' || coalesce(cast({{ part }} as varchar), ''){% endfor %}) >> 1 as bigint)
{%- endmacro %}
