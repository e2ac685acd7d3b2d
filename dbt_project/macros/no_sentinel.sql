{# The column, null where it holds one of the producer's texts or dates that mean missing. #}
{% macro no_sentinel(column, sentinels) -%}
    case when {{ column }} not in ('{{ sentinels | join("', '") }}') then {{ column }} end
{%- endmacro %}
