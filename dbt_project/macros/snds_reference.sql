{# The column, null where it holds one of the producer's texts or dates that mean missing. #}
{% macro no_sentinel(column, sentinels) -%}
    case when {{ column }} not in ('{{ sentinels | join("', '") }}') then {{ column }} end
{%- endmacro %}


{# SQL condition: the nature of a social security number (BEN_CDI_NIR) is normal or provisional, not fictitious (rule 14). #}
{% macro is_genuine_number(nature) -%}
    coalesce(lpad(trim({{ nature }}), 2, '0') in ('00', '03', '04'), false)
{%- endmacro %}
