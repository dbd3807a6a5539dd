-- Where the citus extension is present: prices and definitions are on every node; results, runs and alarms on the coordinator only.
select create_reference_table('amiable.price_series');
select create_reference_table('amiable.price_point');
select create_reference_table('amiable.price_source');
select create_reference_table('amiable.formula');
select create_reference_table('amiable.formula_version');
select create_reference_table('amiable.balance_area');
select create_reference_table('amiable.balance_area_version');
