/** Backups on the server: which there are, another one now, trying the restore of one, taking one away. */
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { type Backups, isBackupName } from '../../operations/backups.ts';

const record = z.object({
  name: z.string(),
  takenAt: z.number().describe('epoch ms'),
  bytes: z.number(),
  rows: z.number(),
  seconds: z.number(),
  restored: z
    .object({ at: z.number(), seconds: z.number(), fault: z.string().nullable() })
    .nullable()
    .describe('how the restore into a scratch database went; null: not tried'),
});
const state = z.object({
  folder: z.string(),
  underWay: z.object({ what: z.enum(['backup', 'restore check']), bytes: z.number() }).nullable(),
  fault: z.string().nullable().describe('why the last one failed'),
  backups: z.array(record).describe('newest first'),
});
const name = z.object({
  name: z.string().refine(isBackupName, 'the name of a backup, such as amiable-2026-11-20T03-00-00.backup'),
});

export function backupRoutes(router: Router, context: Context): void {
  const { log } = context;

  const all = (): Backups => {
    if (!context.backups)
      throw new HttpError(404, 'this server makes no backups by itself; `amiable backup FILE` does');
    return context.backups;
  };
  const free = (): Backups => {
    const backups = all();
    if (backups.progress)
      throw new HttpError(409, 'a backup or the check of one is under way; try again when it has ended');
    return backups;
  };
  const told = async (backups: Backups): Promise<z.infer<typeof state>> => ({
    folder: backups.folder,
    underWay: backups.progress ?? null,
    fault: backups.fault ?? null,
    backups: await backups.list(),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/backups',
    needs: 'backup:view',
    tag: 'operations',
    summary: 'The backups there are, and what is under way',
    answer: state,
    handler: () => told(all()),
  });

  router.add({
    method: 'POST',
    path: '/api/v1/backups',
    needs: 'execute:backup',
    tag: 'operations',
    summary: 'Makes a backup now; GET tells how far it is',
    body: z.object({ check: z.boolean().default(true).describe('try its restore afterwards') }).strict(),
    answer: state,
    handler: async ({ body, reply }) => {
      const backups = free();
      // Whoever asked need not wait; a failure stands in `fault`.
      backups.make({ check: body.check }).catch((error: Error) => log(`backup: ${error.message}`));
      reply.code(202);
      return told(backups);
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/backups/:name/check',
    needs: 'execute:backup',
    tag: 'operations',
    summary: 'Tries the restore of a backup into a scratch database, which is dropped afterwards',
    params: name,
    answer: state,
    handler: async ({ params, reply, about }) => {
      const backups = free();
      about(params.name);
      if (!(await backups.list()).some((one) => one.name === params.name))
        throw new HttpError(404, `there is no backup ${params.name}`);
      backups.check(params.name).catch((error: Error) => log(`backup: ${error.message}`));
      reply.code(202);
      return told(backups);
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/backups/:name',
    needs: 'backup:delete',
    tag: 'operations',
    summary: 'Takes a backup away',
    params: name,
    answer: state,
    handler: async ({ params, about }) => {
      const backups = free();
      about(params.name);
      if (!(await backups.remove(params.name))) throw new HttpError(404, `there is no backup ${params.name}`);
      return told(backups);
    },
  });
}
