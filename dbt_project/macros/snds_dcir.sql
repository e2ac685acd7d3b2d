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


{# The code list of an event of this kind. #}
{% macro code_list(kind) -%}
    case {{ kind }}
        when 'pha' then 'FR_CIP13'
        when 'ucd' then 'FR_UCD'
        when 'cam' then 'FR_CCAM'
        when 'bio' then 'FR_NABM'
        when 'tip' then 'FR_LPP'
        when 'prs' then 'FR_PRS_NAT_REF'
    end
{%- endmacro %}


{# How the event is known, whatever table it goes to: dispensed in a pharmacy, or claimed. #}
{% macro type_of_event() -%}
    case when event.kind in ('pha', 'ucd') then 32869 else 32810 end
{%- endmacro %}


{# A drug is its prescriber's, the visit to the pharmacy is the pharmacist's; all else is of who did it. #}
{% macro provider_of_event() -%}
    case
        when event.kind in ('pha', 'ucd') and event.prescriber_practice is not null
            then {{ hub_id(['provider|snds', 'event.prescriber_practice']) }}
        when event.kind not in ('pha', 'ucd') and event.practice is not null
            then {{ hub_id(['provider|snds', 'event.practice']) }}
    end
{%- endmacro %}


{# What the source calls the event. #}
{% macro code_of_event() -%}
    coalesce(event.code, cast(event.nature as varchar))
{%- endmacro %}


{#
    Net quantity of lines billed alike. A complement carries money, not an act (rule 3): without a quantity it has the
    sign of its first amount that is not zero, and what a patient owes the other sign of what was taken from the
    reimbursement. Not that of their sum: a charge of 5 and a reimbursement of -5 are something.
#}
{% macro signed_quantity() -%}
    case
        when quantity = 0 and kind = 'cpl'
            then {{ sign_of_first(['charge', 'paid_supplement', 'paid_basic']) }}
        when quantity = 0 and kind = 'owe'
            then -{{ sign_of_first(['paid_supplement', 'paid_basic', 'charge']) }}
        else quantity
    end
{%- endmacro %}


{# The sign of the first of these amounts that is not zero, 0 where all are. #}
{% macro sign_of_first(amounts) -%}
    coalesce(sign(coalesce({% for name in amounts %}nullif({{ name }}, 0){{ ', ' if not loop.last }}{% endfor %})), 0)
{%- endmacro %}


{#
    Sums of what lines billed alike come to, and the descriptions of those that stand: what was taken back describes
    nothing.
#}
{% macro net_columns(descriptions, sums) -%}
    {%- for name in descriptions -%}
    max({{ name }}) filter (quantity > 0) as {{ name }},
    {% endfor -%}
    {%- for name in sums -%}
    sum({{ name }}) as {{ name }}{{ ',' if not loop.last }}
    {% endfor -%}
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
