{#
    Replaces the adapter's question to `information_schema.tables`, which binds every view and looks at the files of every
    table: most of a second before the first node of a lake that the hub uses.
#}
{% macro duckdb__list_relations_without_caching(schema_relation) %}
    {% call statement('list_relations_without_caching', fetch_result=True) %}
        select
            '{{ schema_relation.database }}' as database,
            relation.name,
            catalog_schema.schema_name as schema,
            relation.type
        from (
            select schema_id, table_name as name, 'table' as type, end_snapshot
            from __ducklake_metadata_lake.ducklake_table
            union all
            select schema_id, view_name, 'view', end_snapshot
            from __ducklake_metadata_lake.ducklake_view
        ) as relation
        inner join __ducklake_metadata_lake.ducklake_schema as catalog_schema using (schema_id)
        where
            relation.end_snapshot is null
            and catalog_schema.end_snapshot is null
            and lower(catalog_schema.schema_name) = '{{ schema_relation.schema | lower }}'
    {% endcall %}
    {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}
