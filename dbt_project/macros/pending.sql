{#
    Deliveries of the dataset that the last complete run did not see as they are: ids as SQL lists (`added`, `removed`,
    `touched`; empty text when none) and `any`. A delivery that was loaded again is among the added: what it brought before
    is what the tables hold of it.

    A delivery that lost rows of persons who objected counts as one that left and came anew, which is always right and
    costs the whole delivery. With `apart`, for who can do with less, it is in `thinned` alone.
#}
{% macro pending_deliveries(dataset, apart=false) %}
    {% if not execute %}{{ return({'added': '', 'removed': '', 'touched': '', 'thinned': '', 'any': false}) }}{% endif %}
    {% set rows = run_query(
        "select delivery_id, change from " ~ pending_relation() ~ " where dataset = '" ~ dataset ~ "' order by all"
    ).rows %}
    {% set ids = {'added': [], 'removed': [], 'thinned': []} %}
    {% for id, change in rows %}{% do ids[change].append(id | string) %}{% endfor %}
    {% set added = ids.added + ([] if apart else ids.thinned) %}
    {{ return({
        'added': uuid_list(added), 'removed': uuid_list(ids.removed), 'touched': uuid_list(added + ids.removed),
        'thinned': uuid_list(ids.thinned), 'any': rows | length > 0,
    }) }}
{% endmacro %}


{% macro pending_relation() %}
    {{ return('temp.main.hub_pending') }}
{% endmacro %}


{# Find out once what is pending: thirty nodes ask, and a run is one transaction, in which the answer stays the same. #}
{% macro note_pending() %}
    create temp table if not exists {{ pending_relation() }} as
    with present as (
        select dataset, delivery_id, cast(epoch_us(loaded_at) as varchar) as loaded
        from lake.meta.delivery
        where status = 'current'
    ),

    done as (
        select dataset, delivery_id, fingerprint as loaded
        from lake.staging.int_hub__standardised
        where delivery_id is not null
    ),

    opposed as (
        select distinct dataset, delivery_id
        from lake.meta.opposition
        where
            delivery_id is not null
            and revision > (
                select coalesce(max(revision), 0) from lake.meta.opposition where step = 'standardised'
            )
    )

    select dataset, delivery_id, 'added' as change from present
    anti join done using (dataset, delivery_id, loaded)
    union all
    select dataset, delivery_id, 'removed' from done
    anti join present using (dataset, delivery_id)
    union all
    select dataset, delivery_id, 'thinned' from opposed
    semi join (from present semi join done using (dataset, delivery_id, loaded)) as unchanged using (dataset, delivery_id)
{% endmacro %}


{# The datasets of which the lake holds a delivery, once for the run. #}
{% macro note_delivered() %}
    create temp table if not exists {{ delivered_relation() }} as
    select distinct dataset from lake.meta.delivery where status = 'current'
{% endmacro %}


{% macro delivered_relation() %}
    {{ return('temp.main.hub_delivered') }}
{% endmacro %}


{#
    Whether the lake holds a delivery of the dataset. What is made of one that it does not hold has no row, and is not
    asked for: of a table that never had any, the lake's catalogue is read again for every column of every query.
#}
{% macro is_delivered(dataset) %}
    {% if not execute or is_unit_test() %}{{ return(true) }}{% endif %}
    {% set found = run_query("select count(*) from " ~ delivered_relation() ~ " where dataset = '" ~ dataset ~ "'") %}
    {{ return(found.rows[0][0] > 0) }}
{% endmacro %}


{#
    Keys `(_delivery, columns)` of a kept relation whose rows are gone from the delivered ones: those of persons who
    objected. `key` gives the same columns there.
#}
{% macro keys_gone(kept, columns, delivered, key, thinned) -%}
    select _delivery, {{ columns }} from {{ kept }} where _delivery in ({{ thinned }})
    except
    select _delivery, {{ key }} from {{ delivered }} where _delivery in ({{ thinned }})
{%- endmacro %}


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
