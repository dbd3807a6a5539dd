-- Where the citus extension is present: distributed by meter and colocated; small, rarely written tables everywhere;
-- queues and logs (unplaced, change_log, meter_change) on the coordinator only.
select create_reference_table('amiable.meter');
select create_reference_table('amiable.meter_key');
select create_reference_table('amiable.register');
select create_reference_table('amiable.layout');
select create_reference_table('amiable.source');
select create_reference_table('amiable.calendar');
select create_distributed_table('amiable.block', 'meter');
select create_distributed_table('amiable.block_stage', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.message', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.meter_state', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.live', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.dirty', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.attribute', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.event', 'meter', colocate_with => 'amiable.block');
