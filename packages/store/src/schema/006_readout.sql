-- How meters are reached, what is read of each type, and how far the reading of each meter has come.

create table amiable.readout_set (
  type text primary key,
  content jsonb not null,
  changed_at timestamptz
);
comment on table amiable.readout_set is 'What meters of a type deliver: profiles, logs, sets of registers, where they say who they are.';
comment on column amiable.readout_set.type is 'Name of the set: that of a meter type, or one that connections name.';
comment on column amiable.readout_set.content is 'The set, as the API describes it.';
comment on column amiable.readout_set.changed_at is 'When it was written; null for what came with the program.';

create table amiable.connection (
  meter bigint primary key,
  protocol text not null check (protocol in ('dlms', 'iec62056-21')),
  address text not null,
  transport text not null check (transport in ('wrapper', 'hdlc', 'iec')),
  readout text not null,
  referencing text check (referencing in ('LN', 'SN')),
  client integer,
  server integer,
  physical integer,
  authentication text check (authentication in ('none', 'low', 'gmac', 'sha256', 'ecdsa')),
  suite smallint check (suite between 0 and 2),
  ciphered boolean,
  device_address text,
  channel text,
  identity text,
  changed_at timestamptz not null
);
create index connection_channel on amiable.connection (channel, meter);
comment on table amiable.connection is 'How a meter is reached. Passwords and keys are apart: connection_secret.';
comment on column amiable.connection.meter is 'meter.id.';
comment on column amiable.connection.protocol is 'dlms or iec62056-21.';
comment on column amiable.connection.address is 'tcp://host:port, tls://host:port, modem:NUMBER or via:METER.';
comment on column amiable.connection.transport is 'What carries the protocol: wrapper, hdlc or iec.';
comment on column amiable.connection.readout is 'readout_set.type: what is read of it.';
comment on column amiable.connection.referencing is 'Logical or short names; null: logical.';
comment on column amiable.connection.client is 'wPort or HDLC address of the client; null: 16, public.';
comment on column amiable.connection.server is 'wPort or upper HDLC address of the logical device; null: 1.';
comment on column amiable.connection.physical is 'Lower HDLC address; null: none.';
comment on column amiable.connection.authentication is 'none, low, gmac, sha256 or ecdsa; null: none.';
comment on column amiable.connection.suite is 'Security suite; null: 0.';
comment on column amiable.connection.ciphered is 'Whether requests are authenticated and encrypted; null: where the authentication has keys.';
comment on column amiable.connection.device_address is 'Device address of IEC 62056-21.';
comment on column amiable.connection.channel is 'Channel whose windows and limits hold; null: the network of the address.';
comment on column amiable.connection.identity is 'What the meter must say of itself; null: its serial number or the utility''s.';
comment on column amiable.connection.changed_at is 'When it was written.';

create table amiable.connection_secret (
  meter bigint not null,
  name text not null check (name in ('password', 'unicast-key', 'authentication-key', 'client-title', 'server-title')),
  ciphertext bytea not null,
  changed_at timestamptz not null,
  primary key (meter, name)
);
comment on table amiable.connection_secret is 'Passwords and keys of connections, encrypted under a key that is not in this database.';
comment on column amiable.connection_secret.meter is 'meter.id.';
comment on column amiable.connection_secret.name is 'password, unicast-key, authentication-key, client-title or server-title.';
comment on column amiable.connection_secret.ciphertext is 'The encrypted secret.';
comment on column amiable.connection_secret.changed_at is 'When it was set.';

create table amiable.invocation_counter (
  meter bigint not null,
  key text not null,
  bound bigint not null check (bound between 0 and 4294967295),
  peer bigint not null default 0,
  primary key (meter, key)
);
comment on table amiable.invocation_counter is 'Invocation counters of ciphered associations. What lies below bound may have been used and is never given out again.';
comment on column amiable.invocation_counter.meter is 'meter.id.';
comment on column amiable.invocation_counter.key is 'Digest of the key and of our system title that it counts for; says nothing about the key.';
comment on column amiable.invocation_counter.bound is 'The first number that nobody has been given.';
comment on column amiable.invocation_counter.peer is 'The meter''s: answers must carry this number or a higher one.';

create table amiable.readout_state (
  meter bigint primary key,
  tried_at timestamptz not null,
  read_at timestamptz,
  outcome text not null,
  reason text,
  failures integer not null default 0,
  fingerprint text,
  configuration jsonb,
  delivers jsonb,
  deviation integer,
  deviation_at timestamptz,
  stranger text
) with (fillfactor = 70);
comment on table amiable.readout_state is 'How the reading of a meter went last.';
comment on column amiable.readout_state.meter is 'meter.id.';
comment on column amiable.readout_state.tried_at is 'When it was tried last.';
comment on column amiable.readout_state.read_at is 'When something was read last.';
comment on column amiable.readout_state.outcome is 'done, partial, failed, unreachable, refused or stranger.';
comment on column amiable.readout_state.reason is 'Why, in words.';
comment on column amiable.readout_state.failures is 'Tries without success since the last that had some.';
comment on column amiable.readout_state.fingerprint is 'Of its configuration and profiles; while it stays, what was learnt of its type holds.';
comment on column amiable.readout_state.configuration is 'What it said of itself, by code: parameterisation ID, configuration ID, firmware.';
comment on column amiable.readout_state.delivers is 'By name of a profile: the codes of the registers that stand in its rows.';
comment on column amiable.readout_state.deviation is 'Its clock less ours, ms.';
comment on column amiable.readout_state.deviation_at is 'When that was measured.';
comment on column amiable.readout_state.stranger is 'The number of another meter that answered in its place; null while the right one answers.';

create table amiable.log_state (
  meter bigint not null,
  log text not null,
  newest timestamptz not null,
  primary key (meter, log)
);
comment on table amiable.log_state is 'How far each event log of a meter has been read.';
comment on column amiable.log_state.meter is 'meter.id.';
comment on column amiable.log_state.log is 'Name of the log in the read-out set.';
comment on column amiable.log_state.newest is 'Time of its newest entry that is stored.';

insert into amiable.meter_type (name, maker, description, medium, readout) values
  ('amiable-virtual', 'Amiable', 'The virtual electricity meter of the simulator', 'electricity', 'amiable-virtual'),
  ('amiable-virtual-slaves', 'Amiable', 'The same with gas, water or heat meters on its M-Bus', 'electricity', 'amiable-virtual-slaves'),
  ('idis', null, 'A meter after the companion specification of the IDIS association', 'electricity', 'idis');
