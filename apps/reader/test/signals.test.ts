import { SerialPortMock } from 'serialport';
import { afterEach, expect, it, vi } from 'vitest';
import { createDeviceReader } from '../src/device.ts';

afterEach(() => {
  vi.restoreAllMocks();
  SerialPortMock.binding.reset();
});

it('a port holds the lines high that are asked for, from its opening on', async () => {
  SerialPortMock.binding.createPort('/dev/mock-lines');
  const set = vi.spyOn(SerialPortMock.prototype, 'set');
  await new Promise<void>((resolve, reject) => {
    const reader = createDeviceReader({
      device: { type: 'serial', path: '/dev/mock-lines', patience: 20_000 },
      reader: 'attic',
      port: 'p1',
      keys: { candidates: () => [] },
      serialBinding: SerialPortMock.binding,
      signals: { rts: true, dtr: false },
      tell: () => {},
      message: () => {},
      status: (now) => {
        if (now.type === 'up') reader.stop();
      },
    });
    reader.run().then(resolve, reject);
  });
  expect(set.mock.calls[0]?.[0]).toEqual({ rts: true, dtr: false });
});
