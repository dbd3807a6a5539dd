/** The last messages of a meter, and one of them with every byte explained. */
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { explainMessage } from '@amiable/meter';
import type { Protocol } from '@amiable/model';
import { explainedMessage, messageList } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import type { Router } from '../../http/router.ts';

const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(500).default(20) });
const oneParams = meterParams.extend({
  message: z.string().regex(/^[0-9a-f]{32}$/, 'a message id has 32 hexadecimal digits'),
});

export function messageRoutes(router: Router, { store, keys }: Context): void {
  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/messages',
    needs: 'message:view',
    tag: 'messages',
    summary: 'The last messages of a meter, newest first, raw and decoded',
    params: meterParams,
    query: listQuery,
    answer: messageList,
    scoped: true,
    handler: async ({ caller, params, query }) => ({
      messages: await store.messages(params.id, query.limit, caller.scope),
    }),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/messages/:message',
    needs: 'message:view',
    tag: 'messages',
    summary: 'One message with every byte explained',
    params: oneParams,
    answer: explainedMessage,
    scoped: true,
    handler: async ({ caller, params: { id, message } }) => {
      const found = await store.message(id, message, caller.scope);
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
    },
  });
}
