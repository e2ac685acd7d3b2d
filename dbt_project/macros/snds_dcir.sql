{# The nine columns that join a prestation to its refined rows (rule 7: eight join twice). #}
{% macro nine_keys() -%}
    dct_ord_num, flx_dis_dtd, flx_emt_num, flx_emt_ord, flx_emt_typ, flx_trt_dtd, org_cle_num, prs_ord_num, rem_typ_aff
{%- endmacro %}


{# Units in a box from the drug reference's text: "30", "3 DOSES"; several forms in one box ("3 / 2 ML") count boxes. #}
{% macro units_per_box(contents) -%}
    case
        when {{ contents }} like '%/%' then 1
        else coalesce(try_cast(regexp_extract(trim({{ contents }}), '^([0-9]+)', 1) as integer), 1)
    end
{%- endmacro %}


{# A 13-digit drug code; 7-digit forms are kept as they are, 0 is no code (rule 35). #}
{% macro drug_code(code) -%}
    nullif(ltrim(trim({{ code }}), '0'), '')
{%- endmacro %}


{# The specialty as `S<code>`, else the activity as `A<code>`, null when neither says anything (rule 44). #}
{% macro practitioner_code(specialty, activity) -%}
    case
        when {{ specialty }} not in (0, 99) then 'S' || {{ specialty }}
        when {{ activity }} not in (0, 99) then 'A' || {{ activity }}
    end
{%- endmacro %}


{#
    Contributions of the care in scope, each with its person: all of them when everyone is, otherwise those of the
    months (or of all months) of the persons in scope. The scope is joined to the keys before the contributions, which
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
        select identity.*, scope.care_month
        from {{ identity }} as identity
        inner join {{ scope_relation() }} as scope using (person_id)
        anti join (select person_id from {{ scope_relation() }} where care_month is null) as whole using (person_id)
        where scope.care_month > {{ no_care_month() }}
    ) as wanted using (ben_nir_psa, ben_rng_gem, care_month)
    {%- if facts.months %}
    where contribution.care_month between date '{{ facts.first }}' and date '{{ facts.last }}'
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
        semi join (select person_id from {{ scope_relation() }} where care_month is null) as whole using (person_id)
    ) as wanted using (ben_nir_psa, ben_rng_gem)
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
