/** A message as a plain object. A decoder's message computes some of its fields when asked; `{ ...message }` would lose them. */
import type { Message } from '@amiable/model';

export function plain(m: Message): Message {
  return {
    v: m.v,
    id: m.id,
    reader: m.reader,
    port: m.port,
    protocol: m.protocol,
    receivedAt: m.receivedAt,
    flags: m.flags,
    items: m.items,
    values: m.values,
    ...(m.maker === undefined ? {} : { maker: m.maker }),
    ...(m.list === undefined ? {} : { list: m.list }),
    ...(m.meterId === undefined ? {} : { meterId: m.meterId }),
    ...(m.meterType === undefined ? {} : { meterType: m.meterType }),
    ...(m.time === undefined ? {} : { time: m.time }),
    ...(m.meterTime === undefined ? {} : { meterTime: m.meterTime }),
    ...(m.times === undefined ? {} : { times: m.times }),
    ...(m.qualities === undefined ? {} : { qualities: m.qualities }),
    ...(m.raws === undefined ? {} : { raws: m.raws }),
    ...(m.raw === undefined ? {} : { raw: m.raw }),
    ...(m.error === undefined ? {} : { error: m.error }),
  };
}
