{#
    The INSEE code of a commune from the SNDS department and commune digits; null when they do not make one (rule 16).

    Departments come with a leading zero (075, 02A), overseas as 971 to 976, 097 or 9A to 9F according to the scheme,
    and the three digits of an overseas commune begin with the department's last one in some schemes. 000, 099 and 999
    mean unknown.
#}
{% macro insee_commune(department, commune) -%}
    case
        when {{ insee_department(department, commune) }} is null then null
        when {{ commune }} is null or {{ commune }} in ('000', '099', '999') then null
        when length({{ insee_department(department, commune) }}) = 3
            then {{ insee_department(department, commune) }} || right({{ commune }}, 2)
        else {{ insee_department(department, commune) }} || lpad({{ commune }}, 3, '0')
    end
{%- endmacro %}


{# The INSEE code of a department, two characters or three overseas; null when unknown (rule 16). #}
{% macro insee_department(department, commune) -%}
    case
        when {{ department }} is null or {{ department }} in ('000', '099', '999', '99', '00') then null
        when {{ department }} in ('20A', '201', '02A') then '2A'
        when {{ department }} in ('20B', '202', '02B') then '2B'
        when right({{ department }}, 2) between '9A' and '9F'
            then '97' || translate(right({{ department }}, 1), 'ABCDEF', '123456')
        when {{ department }} = '097' then '97' || left({{ commune }}, 1)
        when {{ department }} between '971' and '976' then {{ department }}
        else right('0' || {{ department }}, 2)
    end
{%- endmacro %}


{# The id of a place of residence: the commune when it is known, else the department; null when neither is. #}
{% macro residence_id(commune, department) -%}
    case
        when coalesce({{ commune }}, {{ department }}) is not null
            then {{ hub_id(['location|FR', 'coalesce(' ~ commune ~ ', ' ~ department ~ ')']) }}
    end
{%- endmacro %}
