-- Definitions everywhere; findings, estimates and states with their meter.
select create_reference_table('amiable.validation_rule_set');
select create_reference_table('amiable.validation_rule_version');
select create_distributed_table('amiable.validation_state', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.validation_exception', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.validation_estimate', 'meter', colocate_with => 'amiable.block');
