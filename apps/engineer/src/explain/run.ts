/** `amiable explain`: reads what it is given, explains it, prints it. */
import { readFile } from 'node:fs/promises';
import { fromHex, toHex } from '@amiable/bytes';
import { apduFromText } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import {
  type CarrierKind,
  type ExplainedPart,
  type ExplainKeys,
  explainConversation,
  layersText,
} from '@amiable/meter';
import { type Source, sourcesOf } from './input.ts';

const KINDS: readonly CarrierKind[] = ['hdlc', 'wrapper', 'mbus', 'wmbus', 'p1', 'iec62056-21', 'apdu', 'data'];

export async function runExplain(words: readonly string[], given: Record<string, unknown>): Promise<void> {
  if (given.toHex) return toBytes(words);
  const kind = given.as as CarrierKind | undefined;
  if (kind !== undefined && !KINDS.includes(kind)) throw new Error(`--as ${kind} is none of ${KINDS.join(', ')}.`);
  const keys = await keysOf(given);
  let parts = 0;
  for (const source of await sourcesOf(words, process.stdin)) {
    const conversation = explainConversation({
      ...(keys ? { keys, crypto: nodeCrypto } : {}),
      ...(kind ? { kind } : {}),
    });
    if (source.name && !given.json && !given.xml) process.stdout.write(`# ${source.name}\n`);
    for (const remark of source.remarks) process.stderr.write(`amiable: ${remark}\n`);
    for (const piece of source.pieces) {
      for (const part of conversation.add(piece.bytes, piece.direction)) {
        process.stdout.write(printed(part, source, given));
        parts++;
      }
    }
  }
  if (parts === 0) throw new Error('There were no bytes in what was given.');
}

function printed(part: ExplainedPart, source: Source, given: Record<string, unknown>): string {
  if (given.json) {
    const layers = part.layers.map((l) => ({ name: l.name, bytes: toHex(l.bytes), fields: l.fields }));
    return `${JSON.stringify({ ...(source.name ? { source: source.name } : {}), ...part, layers })}\n`;
  }
  const arrow = part.direction === 'out' ? '→ ' : part.direction === 'in' ? '← ' : '';
  const hint = part.hint ? `   ${part.hint}\n` : '';
  if (given.xml)
    return part.text === undefined
      ? `<!-- ${arrow}${part.title} -->\n${hint && `<!-- ${part.hint} -->\n`}`
      : `${part.text}\n`;
  const head = `${arrow}${part.title}\n${hint}`;
  return given.brief ? head : `${head}${layersText(part.layers)}\n`;
}

async function toBytes(words: readonly string[]): Promise<void> {
  for (const word of words) {
    const text =
      word === '-'
        ? await readAll(process.stdin)
        : word.trimStart().startsWith('<')
          ? word
          : await readFile(word, 'utf8');
    process.stdout.write(`${toHex(apduFromText(text)).toUpperCase()}\n`);
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function keysOf(given: Record<string, unknown>): Promise<ExplainKeys | undefined> {
  const unicast = await hexOption('--key', given.key, [16, 32]);
  const authentication = await hexOption('--auth-key', given.authKey, [16, 32]);
  const dedicated = await hexOption('--dedicated-key', given.dedicatedKey, [16, 32]);
  const master = await hexOption('--master-key', given.masterKey, [16, 32]);
  const clientSystemTitle = await hexOption('--client-title', given.clientTitle, [8]);
  const serverSystemTitle = await hexOption('--meter-title', given.meterTitle, [8]);
  if (!unicast) {
    if (authentication || dedicated || master)
      throw new Error('Give --key too: the other keys open nothing without it.');
    return undefined;
  }
  return {
    unicast,
    ...(authentication ? { authentication } : {}),
    ...(dedicated ? { dedicated } : {}),
    ...(master ? { master } : {}),
    ...(clientSystemTitle ? { clientSystemTitle } : {}),
    ...(serverSystemTitle ? { serverSystemTitle } : {}),
  };
}

/** Hex, or `@file` with hex in it, so that keys need not stand in the list of processes. */
async function hexOption(name: string, value: unknown, lengths: readonly number[]): Promise<Uint8Array | undefined> {
  if (value === undefined) return undefined;
  const text = String(value);
  const hex = text.startsWith('@') ? (await readFile(text.slice(1), 'utf8')).trim() : text;
  const wanted = `${lengths.map((n) => 2 * n).join(' or ')} hex digits`;
  let bytes: Uint8Array;
  try {
    bytes = fromHex(hex);
  } catch {
    throw new Error(`${name} is not hex; ${wanted} are needed.`);
  }
  if (!lengths.includes(bytes.length))
    throw new Error(`${name} has ${2 * bytes.length} hex digits; ${wanted} are needed.`);
  return bytes;
}
