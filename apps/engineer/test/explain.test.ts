import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex } from '@amiable/bytes';
import { evenParity } from '@amiable/iec62056-21';
import { createPcapWriter, createTcpConversation, LINKTYPE } from '@amiable/pcap';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExplain } from '../src/explain/run.ts';

const program = new URL('../../amiable/bin/amiable.js', import.meta.url).pathname;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amiable-explain-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the command prints, in this process. */
async function explain(words: readonly string[], given: Record<string, unknown> = {}): Promise<string> {
  const out: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => {
    out.push(String(text));
    return true;
  }) as typeof process.stdout.write;
  try {
    await runExplain(words, given);
  } finally {
    process.stdout.write = write;
  }
  return out.join('');
}

const GET = 'c001c1000301000108 00ff0200';

describe('amiable explain', () => {
  it('explains hex from the command line, and says where it stands', async () => {
    const text = await explain(['7E', 'A0', '07', '03', '21', '93', '0F', '01', '7E']);
    expect(text).toContain('SNRM');
    expect(text).toMatch(/ 5 {2}93 .*control/);
  });

  it('takes a telegram as it stands, from a file or as a word, and one with parity bits', async () => {
    const vector = new URL('../../../vectors/p1/ndokter_v5_two_mbus.txt', import.meta.url).pathname;
    const bytes = await readFile(vector);
    const parity = join(folder, 'parity.bin');
    await writeFile(parity, evenParity(bytes));
    for (const word of [vector, bytes.toString('latin1').replaceAll('\r', ''), parity]) {
      const text = await explain([word]);
      expect(text).toContain('P1 telegram ISK5\\2M550T-1012');
      expect(text).toMatch(/check sum [0-9A-F]{4}, right/);
    }
  });

  it('gives XML-like text, and takes it back', async () => {
    const xml = await explain([GET], { xml: true });
    expect(xml).toContain('<GetRequestNormal>');
    const file = join(folder, 'get.xml');
    await writeFile(file, xml);
    expect((await explain([file], { toHex: true })).trim()).toBe(GET.replace(/\s/g, '').toUpperCase());
  });

  it('opens a recorded conversation with keys, from a log file', async () => {
    const recorded = JSON.parse(
      await readFile(new URL('../../../vectors/dlms/c2-c-ln-wrapper-gmac.json', import.meta.url), 'utf8'),
    ) as { frames: string[]; security: { unicastKey: string; authenticationKey: string } };
    const file = join(folder, 'session.log');
    await writeFile(
      file,
      recorded.frames
        .slice(0, 8)
        .map((f) => `12:00:00.000 ${f[0] === '>' ? 'TX' : 'RX'}: ${f.slice(2)}`)
        .join('\n'),
    );
    const closed = await explain([file], { brief: true });
    expect(closed).toContain('Give the encryption key');
    const keyFile = join(folder, 'key');
    await writeFile(keyFile, `${recorded.security.unicastKey}\n`);
    const keys = { key: `@${keyFile}`, authKey: recorded.security.authenticationKey };
    const opened = await explain([file], { brief: true, ...keys });
    expect(opened).toContain('get-request-normal 0-0:40.0.0 attribute 2');
    expect(opened).not.toContain('Give the');
    const [first] = (await explain([file], { json: true, ...keys }))
      .split('\n')
      .map((line) => JSON.parse(line || 'null'));
    expect(first).toMatchObject({ direction: 'out', title: 'AARQ > initiate-request' });
  });

  it('takes a capture apart into conversations', async () => {
    const conversation = createTcpConversation({
      client: { address: '192.0.2.1', port: 50000 },
      server: { address: '192.0.2.2', port: 4059 },
    });
    const writer = createPcapWriter(LINKTYPE.ethernet);
    const bytes: Uint8Array[] = [writer.header()];
    const time = { seconds: 1, nanoseconds: 0 };
    const request = fromHex(`0001001000010 00d${GET}`);
    for (const data of conversation.data('client', request.subarray(0, 5))) bytes.push(writer.packet({ time, data }));
    for (const data of conversation.data('client', request.subarray(5))) bytes.push(writer.packet({ time, data }));
    const file = join(folder, 'c.pcap');
    await writeFile(file, Buffer.concat(bytes));
    const text = await explain([file], { brief: true });
    expect(text).toContain('192.0.2.2:4059');
    expect(text).toContain('→ get-request-normal 1-0:1.8.0 attribute 2');
    expect(toHex(request.subarray(0, 2))).toBe('0001');
  });

  it('says what is wrong in one sentence', async () => {
    await expect(explain(['no-such-file'])).rejects.toThrow('neither a file nor hex');
    await expect(explain(['7EA0'], { as: 'soap' })).rejects.toThrow('--as soap is none of hdlc');
    await expect(explain([GET], { key: '00' })).rejects.toThrow('--key has 2 hex digits; 32 or 64');
    await expect(explain([GET], { authKey: '00'.repeat(16) })).rejects.toThrow('Give --key too');
    await expect(explain([folder])).rejects.toThrow('is a folder');
  });

  it('runs as a command, from standard input', async () => {
    const child = spawn(process.execPath, [program, 'explain', '-', '--brief']);
    child.stdin.end('RX: 7E A0 07 03 21 93 0F 01 7E\n');
    let out = '';
    for await (const piece of child.stdout) out += piece;
    expect(out).toBe('← SNRM, set normal response mode, poll/final\n');
  });
});
