/** The parts that need the machine: a serial port over a pty, multicast on the loopback interface. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { toHex } from '@amiable/bytes';
import { describe, expect, it } from 'vitest';
import { isMulticast, multicastReceiver, multicastSender, ptyLink, serialLink } from '../src/index.ts';

const hasSocat = spawnSync('socat', ['-V']).status === 0;

describe.skipIf(!hasSocat)('serial port over a pty', () => {
  it.each(['N', 'E', 'O'] as const)('carries bytes both ways with parity %s', async (parity) => {
    const pty = ptyLink();
    let heard = '';
    await pty.open({ data: (bytes) => (heard += toHex(bytes)), closed() {} });
    expect(existsSync(pty.path)).toBe(true);
    const port = serialLink({ path: pty.path, baud: 2400, parity });
    expect(port.describe).toBe(`${pty.path} at 2400 8${parity}1`);
    // Opening a port throws away what waits in it, so nothing is written before it is open.
    let got = '';
    let ended: Error | undefined;
    await port.open({
      data: (bytes) => (got += toHex(bytes)),
      closed: (error) => {
        ended = error ?? new Error('closed as asked');
      },
    });
    await pty.write(Uint8Array.of(0x7e, 0xa0, 0x11, 0x13, 0x00, 0xff, 0x0d, 0x0a));
    await expect.poll(() => got, { timeout: 60_000, interval: 5 }).toBe('7ea0111300ff0d0a');
    await port.write(Uint8Array.of(1, 2));
    await expect.poll(() => heard, { timeout: 60_000, interval: 5 }).toBe('0102');
    await pty.close();
    await expect.poll(() => ended?.message, { timeout: 60_000, interval: 5 }).toMatch(/gone|closed|does not answer/);
  });
  it('says that another program has it', async () => {
    const pty = ptyLink();
    await pty.open({ data() {}, closed() {} });
    const first = serialLink({ path: pty.path });
    await first.open({ data() {}, closed() {} });
    // The superuser may pass over the lock.
    if (process.getuid?.() !== 0)
      await expect(serialLink({ path: pty.path }).open({ data() {}, closed() {} })).rejects.toMatchObject({
        reason: 'busy',
      });
    await first.close();
    await pty.close();
  });
});

describe('serial port', () => {
  it('names the ports that are there when the one asked for is not', async () => {
    await expect(serialLink({ path: '/dev/ttyNONE9' }).open({ data() {}, closed() {} })).rejects.toThrow(
      /there is no such device\. (The serial ports here are: |This machine shows no serial port)/,
    );
  });
  it('refuses a file that is no serial port', async () => {
    await expect(serialLink({ path: '/dev/null' }).open({ data() {}, closed() {} })).rejects.toMatchObject({
      name: 'LinkError',
    });
  });
});

describe('multicast', () => {
  it('knows groups', () => {
    expect(['239.192.77.1', '224.0.0.1', 'ff15::1', '10.0.0.1', '240.0.0.1', 'x'].map(isMulticast)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
  it('is heard by several listeners on one machine', async () => {
    const options = { group: { host: '239.192.77.1', port: 17_701 }, interface: '127.0.0.1' };
    const heard: string[] = [];
    const listeners = [
      await multicastReceiver(options, (bytes) => heard.push(`a ${toHex(bytes)}`)),
      await multicastReceiver(options, (bytes) => heard.push(`b ${toHex(bytes)}`)),
    ];
    const sender = await multicastSender(options);
    await sender.send(Uint8Array.of(1, 2));
    while (heard.length < 2) await new Promise((r) => setTimeout(r, 2));
    expect(heard.sort()).toEqual(['a 0102', 'b 0102']);
    await expect(sender.send(new Uint8Array(70_000))).rejects.toThrow('do not fit');
    await sender.close();
    for (const one of listeners) await one.close();
  });
});
