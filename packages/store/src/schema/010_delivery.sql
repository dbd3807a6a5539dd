-- What goes to other systems and comes from them: formats, destinations, deliveries, imports of readings, commands.

create table amiable.format (
  name text primary key,
  version integer not null,
  definition jsonb not null,
  changed_at timestamptz not null,
  changed_by text not null
);
comment on table amiable.format is 'Flat-file formats that were designed here; how they were before: format_version.';
comment on column amiable.format.name is 'Name of the format.';
comment on column amiable.format.version is 'Counts its changes from 1.';
comment on column amiable.format.definition is 'The definition, as the API describes it.';
comment on column amiable.format.changed_at is 'When it was written.';
comment on column amiable.format.changed_by is 'Who wrote it.';

create table amiable.format_version (
  name text not null,
  version integer not null,
  definition jsonb not null,
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (name, version)
);
comment on table amiable.format_version is 'Every version of every format: what a delivery was written with can be looked up.';
comment on column amiable.format_version.name is 'format.name.';
comment on column amiable.format_version.version is 'Version of the format.';
comment on column amiable.format_version.definition is 'The definition as it was.';
comment on column amiable.format_version.changed_at is 'When it was written.';
comment on column amiable.format_version.changed_by is 'Who wrote it.';

create table amiable.destination (
  name text primary key,
  version integer not null,
  kind text not null check (kind in ('folder', 'sftp', 'http')),
  definition jsonb not null,
  segments integer[],
  enabled boolean not null,
  changed_at timestamptz not null,
  changed_by text not null
);
comment on table amiable.destination is 'Where meter data are delivered, in which format, and what of them. Secrets are apart: destination_secret.';
comment on column amiable.destination.name is 'Name of the destination.';
comment on column amiable.destination.version is 'Counts its changes from 1.';
comment on column amiable.destination.kind is 'folder, sftp or http.';
comment on column amiable.destination.definition is 'Address, format, content, acknowledgement and retries, as the API describes them; no secrets.';
comment on column amiable.destination.segments is 'Segments of who wrote it: only their meters are delivered; null: all.';
comment on column amiable.destination.enabled is 'False: nothing is made or sent.';
comment on column amiable.destination.changed_at is 'When it was written.';
comment on column amiable.destination.changed_by is 'Who wrote it.';

create table amiable.destination_secret (
  destination text not null,
  name text not null check (name in ('password', 'private-key', 'passphrase', 'token')),
  ciphertext bytea not null,
  changed_at timestamptz not null,
  primary key (destination, name)
);
comment on table amiable.destination_secret is 'Passwords and keys of destinations, encrypted under a key that is not in this database.';
comment on column amiable.destination_secret.destination is 'destination.name.';
comment on column amiable.destination_secret.name is 'password, private-key, passphrase or token.';
comment on column amiable.destination_secret.ciphertext is 'The encrypted secret.';
comment on column amiable.destination_secret.changed_at is 'When it was set.';

create table amiable.delivery (
  id bigint generated always as identity primary key,
  destination text not null,
  run bigint,
  resend_of bigint,
  format text not null,
  format_version integer,
  file text not null,
  media_type text not null,
  from_time timestamptz not null,
  to_time timestamptz not null,
  as_of timestamptz not null,
  meters integer not null,
  rows bigint not null,
  corrected integer not null,
  bytes bigint not null,
  digest text not null,
  segments integer[],
  state text not null check (state in ('making', 'waiting', 'sending', 'sent', 'acknowledged', 'refused', 'failed', 'cancelled')),
  tries integer not null default 0,
  next_try timestamptz,
  held_until timestamptz,
  held_by text,
  reason text,
  answer text,
  created_at timestamptz not null,
  created_by text not null,
  sent_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text
);
create index delivery_run on amiable.delivery (run) where run is not null;
create index delivery_destination on amiable.delivery (destination, id);
create index delivery_due on amiable.delivery (next_try) where state in ('waiting', 'sending');
create index delivery_making on amiable.delivery (held_until) where state = 'making';
create index delivery_unacknowledged on amiable.delivery (sent_at) where state = 'sent';
comment on table amiable.delivery is 'Each file of meter data that was made for a destination, and what became of it.';
comment on column amiable.delivery.id is 'Number of the delivery.';
comment on column amiable.delivery.destination is 'destination.name.';
comment on column amiable.delivery.run is 'run.id that made it; null: by hand.';
comment on column amiable.delivery.resend_of is 'delivery.id whose bytes it sends again.';
comment on column amiable.delivery.format is 'Name of the format.';
comment on column amiable.delivery.format_version is 'format_version.version of a designed format.';
comment on column amiable.delivery.file is 'Name of the file at the destination.';
comment on column amiable.delivery.media_type is 'Media type of the file.';
comment on column amiable.delivery.from_time is 'Begin of its span.';
comment on column amiable.delivery.to_time is 'End of its span, not included.';
comment on column amiable.delivery.as_of is 'When its values were read; what changed later is not in it.';
comment on column amiable.delivery.meters is 'Meters in it.';
comment on column amiable.delivery.rows is 'Values in it.';
comment on column amiable.delivery.corrected is 'Meters in it whose earlier delivered values have changed.';
comment on column amiable.delivery.bytes is 'Length of the file.';
comment on column amiable.delivery.digest is 'SHA-256 of the file, hexadecimal.';
comment on column amiable.delivery.segments is 'Segments that its meters were chosen from; null: all.';
comment on column amiable.delivery.state is 'making, waiting, sending, sent, acknowledged, refused, failed or cancelled.';
comment on column amiable.delivery.tries is 'Times that sending was begun.';
comment on column amiable.delivery.next_try is 'When it is tried next.';
comment on column amiable.delivery.held_until is 'A process makes or sends it until then.';
comment on column amiable.delivery.held_by is 'Which process.';
comment on column amiable.delivery.reason is 'Why it failed last, in words.';
comment on column amiable.delivery.answer is 'What the other system answered, its beginning.';
comment on column amiable.delivery.created_at is 'When it was made.';
comment on column amiable.delivery.created_by is 'For whom.';
comment on column amiable.delivery.sent_at is 'When the destination had all of it.';
comment on column amiable.delivery.acknowledged_at is 'When the destination said that it took it.';
comment on column amiable.delivery.acknowledged_by is 'How: answer, file, or the user who said so.';

create table amiable.delivery_part (
  delivery bigint not null,
  part integer not null,
  content bytea not null,
  primary key (delivery, part)
);
comment on table amiable.delivery_part is 'The bytes of deliveries, in pieces, each compressed with gzip.';
comment on column amiable.delivery_part.delivery is 'delivery.id; of one that is sent again the first one.';
comment on column amiable.delivery_part.part is 'From 0 on.';
comment on column amiable.delivery_part.content is 'The piece.';

create table amiable.readings_import (
  id bigint generated always as identity primary key,
  state text not null check (state in ('running', 'done', 'refused', 'failed', 'interrupted')),
  dry boolean not null,
  name text,
  format text not null,
  digest text,
  detail jsonb not null,
  segments integer[],
  who text not null,
  started_at timestamptz not null,
  held_until timestamptz,
  ended_at timestamptz,
  report jsonb
);
create index readings_import_running on amiable.readings_import (held_until) where state = 'running';
create index readings_import_digest on amiable.readings_import (digest) where state = 'done' and not dry;
comment on table amiable.readings_import is 'Files of readings that were imported, and what came of them.';
comment on column amiable.readings_import.id is 'Number of the import.';
comment on column amiable.readings_import.state is 'running, done, refused, failed or interrupted.';
comment on column amiable.readings_import.dry is 'Checked only.';
comment on column amiable.readings_import.name is 'Name of the file, for people.';
comment on column amiable.readings_import.format is 'How it was read.';
comment on column amiable.readings_import.digest is 'SHA-256 of the file: one that was imported before is told.';
comment on column amiable.readings_import.detail is 'With what it was ordered.';
comment on column amiable.readings_import.segments is 'Segments of who ordered it; null: all.';
comment on column amiable.readings_import.who is 'Who ordered it.';
comment on column amiable.readings_import.started_at is 'When it began.';
comment on column amiable.readings_import.held_until is 'A process works on it until then; one that died lets it lapse.';
comment on column amiable.readings_import.ended_at is 'When it ended.';
comment on column amiable.readings_import.report is 'Counts and the first faults.';

create table amiable.command (
  id bigint generated always as identity primary key,
  source text not null,
  reference text not null,
  kind text not null,
  meter bigint,
  point text,
  parameters jsonb not null,
  digest text not null,
  callback text,
  state text not null check (state in ('waiting', 'running', 'done', 'failed', 'refused', 'cancelled')),
  due timestamptz not null,
  expires timestamptz not null,
  held_until timestamptz,
  held_by text,
  work jsonb,
  result jsonb,
  sentence text,
  segments integer[],
  account bigint,
  who text not null,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  told text check (told in ('waiting', 'told', 'failed')),
  told_tries integer not null default 0,
  told_next timestamptz,
  unique (source, reference)
);
create index command_open on amiable.command (due) where state in ('waiting', 'running');
create index command_told on amiable.command (told_next) where told = 'waiting';
create index command_meter on amiable.command (meter, id);
comment on table amiable.command is 'What other systems ordered: contract and tariff changes, spontaneous readings, parameter changes.';
comment on column amiable.command.id is 'Number of the command.';
comment on column amiable.command.source is 'Whose reference it is: the account or token that ordered it.';
comment on column amiable.command.reference is 'The other system''s own reference: the same one is executed once.';
comment on column amiable.command.kind is 'contract, tariff, read or parameter.';
comment on column amiable.command.meter is 'meter.id; null where it is about a metering point without one.';
comment on column amiable.command.point is 'Code of the metering point it was ordered for.';
comment on column amiable.command.parameters is 'What was ordered.';
comment on column amiable.command.digest is 'SHA-256 of what was ordered: the same reference with another order is refused.';
comment on column amiable.command.callback is 'destination.name that is told of its end; null: nobody.';
comment on column amiable.command.state is 'waiting, running, done, failed, refused or cancelled.';
comment on column amiable.command.due is 'When it is carried out.';
comment on column amiable.command.expires is 'After that it fails.';
comment on column amiable.command.held_until is 'A process carries it out until then.';
comment on column amiable.command.held_by is 'Which process.';
comment on column amiable.command.work is 'What is under way for it, such as the run of a reading.';
comment on column amiable.command.result is 'What came of it.';
comment on column amiable.command.sentence is 'How it stands, for people.';
comment on column amiable.command.segments is 'Segments of who ordered it; null: all.';
comment on column amiable.command.account is 'user_account.id of who ordered it; null: the system.';
comment on column amiable.command.who is 'Who ordered it.';
comment on column amiable.command.created_at is 'When it came.';
comment on column amiable.command.started_at is 'When it was begun.';
comment on column amiable.command.ended_at is 'When it ended.';
comment on column amiable.command.told is 'Whether the callback was told of its end: waiting, told or failed; null: nobody is told.';
comment on column amiable.command.told_tries is 'Times that it was tried.';
comment on column amiable.command.told_next is 'When it is tried next.';
