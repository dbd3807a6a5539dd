/** Control lines of a serial port: Data Request of a P1 cable. */
import { SerialPortMock } from 'serialport';
import { afterEach, expect, test, vi } from 'vitest';
import { PortError, serialLink } from '../src/index.ts';

const PATH = '/dev/mock-signals';
const quiet = { data: () => {}, closed: () => {} };

afterEach(() => {
  vi.restoreAllMocks();
  SerialPortMock.binding.reset();
});

test('lines are set as asked, those said before again, and from the opening on', async () => {
  SerialPortMock.binding.createPort(PATH);
  const set = vi.spyOn(SerialPortMock.prototype, 'set');
  const link = serialLink({ path: PATH, binding: SerialPortMock.binding });
  await link.setSignals({ rts: false });
  expect(set).not.toHaveBeenCalled();
  await link.open(quiet);
  await link.setSignals({ dtr: true });
  await link.setSignals({ rts: true });
  expect(set.mock.calls.map(([lines]) => lines)).toEqual([
    { rts: false },
    { rts: false, dtr: true },
    { rts: true, dtr: true },
  ]);
  await link.close();
});

test('a port that has no such lines opens all the same, and says so when asked', async () => {
  SerialPortMock.binding.createPort(PATH);
  vi.spyOn(SerialPortMock.prototype, 'set').mockImplementation((_lines, done) => {
    done?.(new Error('Error: Inappropriate ioctl for device, cannot set'));
  });
  const link = serialLink({ path: PATH, binding: SerialPortMock.binding });
  await link.setSignals({ rts: true });
  await link.open(quiet);
  await expect(link.setSignals({ rts: false })).rejects.toThrow(PortError);
  await link.close();
});
