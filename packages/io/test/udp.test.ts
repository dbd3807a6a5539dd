/** Datagrams over the machine's loopback. */
import { createSocket } from 'node:dgram';
import { LinkError } from '@amiable/bytes';
import { udpClient } from '@amiable/io';
import { expect, test } from 'vitest';

test('datagrams stay whole, both ways, and strangers are not heard', async () => {
  const peer = createSocket('udp4');
  await new Promise<void>((resolve) => peer.bind(0, '127.0.0.1', resolve));
  peer.on('message', (bytes, from) => {
    const stranger = createSocket('udp4');
    stranger.send(Uint8Array.of(0xff), from.port, from.address, () => {
      stranger.close();
      peer.send(bytes, from.port, from.address);
      peer.send(Uint8Array.of(...bytes, 0), from.port, from.address);
    });
  });
  const link = udpClient({ host: '127.0.0.1', port: peer.address().port });
  const got: number[][] = [];
  let ended = 0;
  await new Promise<void>((resolve) => {
    void link
      .open({
        data(bytes) {
          got.push([...bytes]);
          if (got.length === 2) resolve();
        },
        closed: (error) => {
          expect(error).toBeUndefined();
          ended++;
        },
      })
      .then(() => link.write(Uint8Array.of(1, 2, 3)));
  });
  expect(got).toEqual([
    [1, 2, 3],
    [1, 2, 3, 0],
  ]);
  expect(link.datagrams).toBe(true);
  await link.close();
  await link.close();
  expect(ended).toBe(1);
  peer.close();
  await expect(link.write(Uint8Array.of(1))).rejects.toBeInstanceOf(LinkError);
});

test('what is too long for a datagram is refused', async () => {
  const link = udpClient({ host: '127.0.0.1', port: 9 });
  await link.open({ data() {}, closed() {} });
  await expect(link.write(new Uint8Array(70_000))).rejects.toThrow(/70000 bytes do not fit/);
  await link.close();
});
