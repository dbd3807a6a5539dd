-- Connections everywhere, states with their meter; counters and secrets are asked for by workers, through the coordinator.
select create_reference_table('amiable.readout_set');
select create_reference_table('amiable.connection');
select create_reference_table('amiable.connection_secret');
select create_distributed_table('amiable.readout_state', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.log_state', 'meter', colocate_with => 'amiable.block');
