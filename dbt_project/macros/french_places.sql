{#
    The INSEE code of a commune from the SNDS department and commune digits; null when they do not make one (rule 16).
    000, 099 and 999 mean unknown. `place` is the department as `insee_department` gives it.
#}
{% macro insee_commune(place, commune) -%}
    case
        when {{ place }} is null or {{ is_no_place(commune) }} then null
        -- Overseas the department has three characters, and its last one begins the three digits of the commune.
        when length({{ place }}) = 3 then {{ place }} || right({{ commune }}, 2)
        else {{ place }} || lpad({{ commune }}, 3, '0')
    end
{%- endmacro %}


{#
    The INSEE code of a department, two characters or three overseas; null when unknown (rule 16).

    Departments come with a leading zero (075, 02A). Corsica comes as 201 and 202, or undivided as 209: then the commune,
    or else the fund the person belongs to, tells which half. Overseas the general scheme writes 097, whose commune
    begins with the third digit of the department; MSA writes 971 to 976 with the same communes; RSI (03A) writes 971
    to 976 with a commune of two digits that counts; hospitals write 9A to 9F. Mayotte was in 98, where its communes began with
    5 and had the numbers they still have.
    `is_south` tells whether the commune number is one of Corse-du-Sud and of it alone: 901 is a place in either half.
#}
{% macro insee_department(department, commune, affiliation, is_south) -%}
    case
        when {{ is_no_place(department) }} then null
        when {{ department }} in ('201', '20A', '02A', '2A') then '2A'
        when {{ department }} in ('202', '20B', '02B', '2B') then '2B'
        when {{ department }} in ('209', '020', '20') then
            case
                when {{ is_south }} then '2A'
                when ({{ is_no_place(commune) }} or {{ commune }} = '901') and substr({{ affiliation }}, 4, 3) = '201'
                    then '2A'
                when not {{ is_no_place(commune) }} or substr({{ affiliation }}, 4, 3) = '202' then '2B'
                else '20'
            end
        when right({{ department }}, 2) between '9A' and '9F'
            then '97' || translate(right({{ department }}, 1), 'ABCDEF', '123456')
        when {{ department }} in ('098', '98') and {{ commune }} between '501' and '523' then '976'
        when {{ department }} in ('097', '97')
            then case when {{ commune }} between '100' and '899' then '97' || left({{ commune }}, 1) end
        when {{ department }} between '971' and '978' then
            case
                when left({{ affiliation }}, 3) = '03A' or {{ is_no_place(commune) }} or left({{ commune }}, 1) = '0'
                    then {{ department }}
                else '97' || left({{ commune }}, 1)
            end
        when length({{ department }}) = 3 and left({{ department }}, 1) <> '0' then null
        else right('0' || {{ department }}, 2)
    end
{%- endmacro %}


{# SQL condition: the digits of a department or commune say nothing. #}
{% macro is_no_place(digits) -%}
    coalesce(ltrim({{ digits }}, '0') in ('', '99', '999'), true)
{%- endmacro %}


{# The id of a place of residence: the commune when it is known, else the department; null when neither is. #}
{% macro residence_id(commune, department) -%}
    case
        when coalesce({{ commune }}, {{ department }}) is not null
            then {{ hub_id(['location|FR', 'coalesce(' ~ commune ~ ', ' ~ department ~ ')']) }}
    end
{%- endmacro %}


{# The department of an establishment, from its FINESS number: its first characters, overseas the fourth too. #}
{% macro finess_department(number) -%}
    case
        when left({{ number }}, 2) = '97' then '97' || substr({{ number }}, 4, 1)
        when left({{ number }}, 2) = '98' then '976'
        else left({{ number }}, 2)
    end
{%- endmacro %}


{# The concept of France where the vocabularies are there, else 0. #}
{% macro france() -%}
    {%- if has_athena() -%}
    (
        select coalesce(min(concept_id), 0) from {{ ref('concept') }}
        where domain_id = 'Geography' and concept_name = 'France' and standard_concept = 'S'
    )
    {%- else -%}
    0
    {%- endif -%}
{%- endmacro %}
