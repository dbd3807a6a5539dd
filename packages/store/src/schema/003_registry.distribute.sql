-- Where the citus extension is present: the registry is on every node; the log of its changes on the coordinator only.
select create_reference_table('amiable.node');
select create_reference_table('amiable.premises');
select create_reference_table('amiable.link');
select create_reference_table('amiable.meter_type');
select create_reference_table('amiable.transformer_ratio');
select create_reference_table('amiable.attribute_definition');
select create_reference_table('amiable.meter_group');
select create_reference_table('amiable.meter_group_member');
