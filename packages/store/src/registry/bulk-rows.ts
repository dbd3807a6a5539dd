/** Rows of the staging tables as PostgreSQL's binary COPY takes them, gathered per table until a piece is worth sending. */
import { CopyRows, copyIn } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import { bulkSql, type StagedTable } from '../sql/bulk.ts';

export type BulkAttributes = Readonly<Record<string, string | number | boolean | null>>;

export interface BulkNode {
  readonly line: number;
  readonly kind: string;
  readonly code: string;
  /** A bit for each of GIVEN.node. */
  readonly given: number;
  readonly name: string | null;
  readonly segment: number | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly customer: string | null;
  readonly account: string | null;
  readonly address: string | null;
  readonly contact: string | null;
  readonly attributes: BulkAttributes | null;
}

export interface BulkMeter {
  readonly line: number;
  readonly serial: string;
  /** A bit for each of GIVEN.meter. */
  readonly given: number;
  readonly utilitySerial: string | null;
  readonly name: string | null;
  readonly place: string | null;
  readonly timeZone: string | null;
  readonly maker: string | null;
  readonly type: string | null;
  readonly phases: number | null;
  readonly lineVoltage: boolean | null;
  readonly meterType: string | null;
  readonly paramId: string | null;
  readonly configId: string | null;
  readonly segment: number | null;
  readonly attributes: BulkAttributes | null;
}

export interface BulkLink {
  readonly line: number;
  readonly kind: 'under' | 'installed' | 'behind' | 'served';
  /** Null: a meter, by its serial number. */
  readonly childKind: string | null;
  readonly child: string;
  readonly parentKind: string | null;
  readonly parent: string;
  readonly channel: number | null;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number | null;
  /** The file does not say since when. */
  readonly loose: boolean;
}

export interface BulkRatio {
  readonly line: number;
  readonly meteringPoint: string;
  readonly kind: 'current' | 'voltage';
  readonly primary: number;
  readonly secondary: number;
  readonly from: number;
  readonly to: number | null;
}

export interface BulkType {
  readonly line: number;
  readonly name: string;
  readonly given: number;
  readonly maker: string | null;
  readonly description: string | null;
  readonly medium: string | null;
  readonly readout: string | null;
}

export interface BulkConnection {
  readonly line: number;
  readonly serial: string;
  readonly given: number;
  readonly protocol: string | null;
  readonly address: string | null;
  readonly transport: string | null;
  readonly readout: string | null;
  readonly referencing: string | null;
  readonly client: number | null;
  readonly server: number | null;
  readonly physical: number | null;
  readonly authentication: string | null;
  readonly suite: number | null;
  readonly ciphered: boolean | null;
  readonly deviceAddress: string | null;
  readonly channel: string | null;
  readonly identity: string | null;
}

/** Bytes of one COPY. */
const PIECE = 1 << 19;
const EPOCH_MS = 946_684_800_000;

class Rows extends CopyRows {
  text(value: string | null): void {
    if (value === null) {
      this.int32(-1);
      return;
    }
    this.reserve(value.length * 3 + 4);
    const bytes = this.buffer.write(value, this.length + 4);
    this.setInt32(this.length, bytes);
    this.length += 4 + bytes;
  }
  integer(value: number | null): void {
    if (value === null) this.int32(-1);
    else this.int(value);
  }
  small(value: number | null): void {
    if (value === null) this.int32(-1);
    else this.short(value);
  }
  truth(value: boolean | null): void {
    if (value === null) this.int32(-1);
    else {
      this.int32(1);
      this.byte(value ? 1 : 0);
    }
  }
  double(value: number | null): void {
    if (value === null) {
      this.int32(-1);
      return;
    }
    this.int32(8);
    this.reserve(8);
    this.length = this.buffer.writeDoubleBE(value, this.length);
  }
  time(value: number | null): void {
    if (value === null) this.int32(-1);
    else this.long((value - EPOCH_MS) * 1000);
  }
  json(value: BulkAttributes | null): void {
    if (value === null) {
      this.int32(-1);
      return;
    }
    const text = JSON.stringify(value);
    this.reserve(text.length * 3 + 5);
    const bytes = this.buffer.write(text, this.length + 5);
    this.setInt32(this.length, bytes + 1);
    this.buffer[this.length + 4] = 1;
    this.length += 5 + bytes;
  }
}

export interface StagedRows {
  node(row: BulkNode): void;
  meter(row: BulkMeter): void;
  link(row: BulkLink): void;
  ratio(row: BulkRatio): void;
  type(row: BulkType): void;
  connection(row: BulkConnection): void;
  /** Rows so far, by table. */
  readonly counts: Readonly<Record<StagedTable, number>>;
  /** Sends what is worth sending (all of it with `last`); to be awaited before more is put in. */
  flush(client: Client, last?: boolean): Promise<void>;
}

export function createStagedRows(): StagedRows {
  const rows: Record<StagedTable, Rows> = {
    node: new Rows(4096),
    meter: new Rows(4096),
    link: new Rows(4096),
    ratio: new Rows(1024),
    type: new Rows(1024),
    connection: new Rows(1024),
  };
  const counts: Record<StagedTable, number> = { node: 0, meter: 0, link: 0, ratio: 0, type: 0, connection: 0 };
  return {
    counts,
    node(n) {
      const r = rows.node;
      counts.node++;
      r.row(13);
      r.int(n.line);
      r.text(n.kind);
      r.text(n.code);
      r.int(n.given);
      r.text(n.name);
      r.integer(n.segment);
      r.double(n.latitude);
      r.double(n.longitude);
      r.text(n.customer);
      r.text(n.account);
      r.text(n.address);
      r.text(n.contact);
      r.json(n.attributes);
    },
    meter(m) {
      const r = rows.meter;
      counts.meter++;
      r.row(16);
      r.int(m.line);
      r.text(m.serial);
      r.int(m.given);
      r.text(m.utilitySerial);
      r.text(m.name);
      r.text(m.place);
      r.text(m.timeZone);
      r.text(m.maker);
      r.text(m.type);
      r.small(m.phases);
      r.truth(m.lineVoltage);
      r.text(m.meterType);
      r.text(m.paramId);
      r.text(m.configId);
      r.integer(m.segment);
      r.json(m.attributes);
    },
    link(l) {
      const r = rows.link;
      counts.link++;
      r.row(10);
      r.int(l.line);
      r.text(l.kind);
      r.text(l.childKind);
      r.text(l.child);
      r.text(l.parentKind);
      r.text(l.parent);
      r.small(l.channel);
      r.time(l.from);
      r.time(l.to);
      r.truth(l.loose);
    },
    ratio(t) {
      const r = rows.ratio;
      counts.ratio++;
      r.row(7);
      r.int(t.line);
      r.text(t.meteringPoint);
      r.text(t.kind);
      r.long(t.primary);
      r.long(t.secondary);
      r.time(t.from);
      r.time(t.to);
    },
    type(t) {
      const r = rows.type;
      counts.type++;
      r.row(7);
      r.int(t.line);
      r.text(t.name);
      r.int(t.given);
      r.text(t.maker);
      r.text(t.description);
      r.text(t.medium);
      r.text(t.readout);
    },
    connection(c) {
      const r = rows.connection;
      counts.connection++;
      r.row(17);
      r.int(c.line);
      r.text(c.serial);
      r.int(c.given);
      r.text(c.protocol);
      r.text(c.address);
      r.text(c.transport);
      r.text(c.readout);
      r.text(c.referencing);
      r.integer(c.client);
      r.integer(c.server);
      r.integer(c.physical);
      r.text(c.authentication);
      r.small(c.suite);
      r.truth(c.ciphered);
      r.text(c.deviceAddress);
      r.text(c.channel);
      r.text(c.identity);
    },
    async flush(client, last = false) {
      for (const [table, piece] of Object.entries(rows) as [StagedTable, Rows][]) {
        if (piece.length === 0 || (!last && piece.length < PIECE)) continue;
        await copyIn(client, bulkSql.copy(table), (out) => {
          out.bytes(piece.buffer.subarray(0, piece.length));
          return false;
        });
        piece.length = 0;
      }
    },
  };
}
