/** The last messages of a meter, and one of them with every byte explained. */
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { explainMessage } from '@amiable/meter';
import type { ExplainedMessage, Protocol } from '@amiable/model';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';

const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(500).default(20) });
const oneParams = meterParams.extend({
  message: z.string().regex(/^[0-9a-f]{32}$/, 'a message id has 32 hexadecimal digits'),
});

export function messageRoutes(app: FastifyInstance, { store, keys }: Context): void {
  app.get('/api/v1/meters/:id/messages', async (request) => {
    const { id } = meterParams.parse(request.params);
    const { limit } = listQuery.parse(request.query);
    return { messages: await store.messages(id, limit) };
  });

  app.get('/api/v1/meters/:id/messages/:message', async (request): Promise<ExplainedMessage> => {
    const { id, message } = oneParams.parse(request.params);
    const found = await store.message(id, message);
    if (!found)
      throw new HttpError(404, `meter ${id} has no message ${message}; raw messages are kept for some days only`);
    const layers = explainMessage(fromHex(found.raw), {
      protocol: found.protocol as Protocol,
      readings: found.readings,
      keys,
      crypto: nodeCrypto,
    });
    return {
      ...found,
      layers: layers.map((layer) => ({
        name: layer.name,
        bytes: toHex(layer.bytes),
        fields: layer.fields.map((f) => ({ ...f })),
      })),
    };
  });
}
