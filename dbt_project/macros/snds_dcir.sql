{# The nine columns that join a prestation to its refined rows (rule 7: eight join twice). #}
{% macro nine_keys() -%}
    dct_ord_num, flx_dis_dtd, flx_emt_num, flx_emt_ord, flx_emt_typ, flx_trt_dtd, org_cle_num, prs_ord_num, rem_typ_aff
{%- endmacro %}


{#
    Units in a box from the drug reference's text: "30", "3 DOSES", "3 / 2 ML" hold 30, 3 and 3; several forms in one box
    ("21 + 7") or a text that says nothing count boxes (rule 37).
#}
{% macro units_per_box(contents) -%}
    case
        when {{ contents }} like '%+%' then 1
        else coalesce(nullif(try_cast(regexp_extract(trim({{ contents }}), '^([0-9]+)', 1) as integer), 0), 1)
    end
{%- endmacro %}


{#
    A drug code as CIP13. A CIP7, padded or not, makes the CIP13 that replaced it: 34009, the seven digits and the check
    digit of all article numbers, so that a line and its cancellation meet whichever form each has. 0 is no code; what
    has neither length is kept as it is (rule 35).
#}
{% macro cip13(code) -%}
    case
        when length(ltrim(trim({{ code }}), '0')) = 7 and try_cast({{ code }} as bigint) is not null
            then '34009' || ltrim(trim({{ code }}), '0')
                || {{ article_check_digit("'34009' || ltrim(trim(" ~ code ~ "), '0')") }}
        when ltrim(trim({{ code }}), '0') <> '' then trim({{ code }})
    end
{%- endmacro %}


{# The thirteenth digit of an article number: the digits in even places count three times. #}
{% macro article_check_digit(digits) -%}
    cast((10 - (
        {%- for place in range(1, 13) %}
        {{ '3 * ' if place % 2 == 0 }}cast(substr({{ digits }}, {{ place }}, 1) as integer){{ ' + ' if not loop.last }}
        {%- endfor %}
    ) % 10) % 10 as varchar)
{%- endmacro %}


{# A hospital drug code with its zeros: UCD7 forms are padded to 13, 0 is no code (rules 35 and 42). #}
{% macro ucd13(code) -%}
    case when ltrim(trim({{ code }}), '0') <> '' then lpad(trim({{ code }}), 13, '0') end
{%- endmacro %}


{# The seven digits inside a code of 13: after its prefix, or after the zeros that pad it. #}
{% macro seven_digits(code) -%}
    case when {{ code }} like '3400%' then substr({{ code }}, 6, 7) else ltrim({{ code }}, '0') end
{%- endmacro %}


{# The FINESS number, null where it is empty or zero. #}
{% macro finess(number) -%}
    case when ltrim(trim({{ number }}), '0') <> '' then trim({{ number }}) end
{%- endmacro %}


{# The code of the specialty, else of the activity, null when neither says anything (rule 44). The two lists share no code. #}
{% macro practitioner_code(specialty, activity) -%}
    case
        when {{ specialty }} not in (0, 99) then cast({{ specialty }} as varchar)
        when {{ activity }} not in (0, 99) then cast({{ activity }} as varchar)
    end
{%- endmacro %}


{#
    Contributions of the care in scope, each with its person: all of them when everyone is, otherwise those of the
    dates (or of all dates) of the persons in scope. The scope is joined to the keys before the contributions, which
    are many.
#}
{% macro contributions_in_scope(contribution, identity) -%}
    {%- set facts = scope_facts() -%}
    {%- if facts.everyone -%}
    select contribution.*, identity.person_id
    from {{ contribution }} as contribution
    inner join {{ identity }} as identity using (ben_nir_psa, ben_rng_gem)
    {%- else -%}
    select contribution.*, wanted.person_id
    from {{ contribution }} as contribution
    inner join (
        select identity.*, scope.care_date as care_start
        from {{ identity }} as identity
        inner join {{ scope_relation() }} as scope using (person_id)
        anti join (select person_id from {{ scope_relation() }} where care_date is null) as whole using (person_id)
        where scope.care_date > {{ no_care_date() }}
    ) as wanted using (ben_nir_psa, ben_rng_gem, care_start)
    {%- if facts.dates %}
    where contribution.care_start between {{ dates_in_scope(facts) }}
    {%- else %}
    where false
    {%- endif %}
    {%- if facts.persons %}
    union all
    select contribution.*, wanted.person_id
    from {{ contribution }} as contribution
    inner join (
        select identity.*
        from {{ identity }} as identity
        semi join (select person_id from {{ scope_relation() }} where care_date is null) as whole using (person_id)
    ) as wanted using (ben_nir_psa, ben_rng_gem)
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
