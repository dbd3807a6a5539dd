/** The stand-in server speaks the API that page and server share, so that what passes here passes there. */
import { energy, explainedMessage, media, messageList, meter, meterList, series, status } from '@amiable/model/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMock, type Mock } from './mock.ts';

const NOW = Date.UTC(2026, 9, 25, 10);
let mock: Mock;
let base = '';
beforeAll(async () => {
  mock = createMock({ now: () => NOW });
  base = `${await mock.listen()}/api/v1`;
});
afterAll(() => mock.close());
const get = async (path: string): Promise<unknown> => (await fetch(base + path)).json();

describe('the stand-in server', () => {
  it('answers in the shapes of the API', async () => {
    status.parse(await get('/status'));
    const list = meterList.parse(await get('/meters'));
    expect(list.total).toBe(13);
    for (const { id } of list.meters) meter.parse(await get(`/meters/${id}`));
    const day = series.parse(await get(`/meters/1/series?obis=1.7.0,32.7.0&from=${NOW - 3_600_000}&to=${NOW}`));
    expect(day.period).toBe(0);
    expect(day.curves).toHaveLength(2);
    const beside = media.parse(await get(`/meters/7/media?bucket=hour&from=${NOW - 7_200_000}&to=${NOW}`));
    expect(beside.media.map((m) => m.buckets.length)).toEqual([2, 2]);
    for (const { id } of list.meters) {
      const { messages } = messageList.parse(await get(`/meters/${id}/messages?limit=3`));
      for (const message of messages) explainedMessage.parse(await get(`/meters/${id}/messages/${message.id}`));
    }
  });
  it('gives the long day its 25 hours', async () => {
    const answer = energy.parse(
      await get(`/meters/1/energy?bucket=hour&from=${Date.UTC(2026, 9, 24, 22)}&to=${Date.UTC(2026, 9, 25, 23)}`),
    );
    expect(answer.buckets).toHaveLength(25);
  });
  it('pages a hundred thousand meters', async () => {
    mock.state.mode = 'many';
    const first = meterList.parse(await get('/meters?limit=200'));
    const second = meterList.parse(await get(`/meters?limit=200&after=${first.next}`));
    expect([first.total, first.meters.length, second.meters[0]?.id]).toEqual([100_000, 200, '201']);
    mock.state.mode = 'live';
  });
});
