/** The description of the API is right by the rules of OpenAPI 3.1, and whole: every route with all that is said of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPrivilege } from '@amiable/model';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeApi, operationId } from '../src/http/openapi.ts';
import type { AnyRoute } from '../src/http/router.ts';
import { openTestApp, type TestApp } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-openapi-'));
let test: TestApp;
beforeAll(async () => {
  test = await openTestApp(folder);
});
afterAll(async () => {
  await test?.close();
  rmSync(folder, { recursive: true });
});

type Operation = {
  tags: string[];
  summary: string;
  'x-needs': string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, unknown> }>;
};

const valid = async (document: unknown) => {
  const validator = new Validator();
  const result = await validator.validate(document as Record<string, unknown>);
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  expect(validator.version).toBe('3.1');
};

describe('the description of the API', () => {
  it('keeps the rules of OpenAPI 3.1, and has every route with all that is said of it', async () => {
    const answer = await test.app.inject({ url: '/api/v1/openapi.json' });
    expect(answer.statusCode).toBe(200);
    const document = answer.json() as { paths: Record<string, Record<string, Operation>>; tags: { name: string }[] };
    await valid(document);
    const tags = new Set(document.tags.map((tag) => tag.name));
    const ids = new Set<string>();
    for (const route of test.routes) {
      const path = route.path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}');
      const what = `${route.method} ${path}`;
      const found = document.paths[path]?.[route.method.toLowerCase()] as Operation;
      expect(found, what).toBeDefined();
      expect(found.summary.length, what).toBeGreaterThan(5);
      expect(tags.has(found.tags[0] as string), what).toBe(true);
      const needs = found['x-needs'];
      expect(['public', 'caller', 'known'].includes(needs) || isPrivilege(needs), what).toBe(true);
      for (const [, name] of path.matchAll(/\{(\w+)\}/g))
        expect(
          found.parameters?.some((p) => p.in === 'path' && p.name === name),
          `${what} ${name}`,
        ).toBe(true);
      expect(Object.keys(found.responses['200']?.content ?? {}), what).toHaveLength(1);
      expect(ids.has(operationId(route)), `${what} shares its id`).toBe(false);
      ids.add(operationId(route));
    }
    // Nothing of this installation.
    expect(answer.body).not.toContain(folder);
  });
  it('moves what a schema defines for itself to where references find it', async () => {
    type Tree = { name: string; children: Tree[] };
    const tree: z.ZodType<Tree> = z.object({ name: z.string(), children: z.array(z.lazy(() => tree)) });
    const routes = [
      {
        method: 'POST',
        path: '/api/v1/trees/:id',
        needs: 'meter:view',
        tag: 'trees',
        summary: 'Takes a tree',
        body: tree,
        answer: z.object({ tree, at: z.date() }),
        handler: () => undefined,
      },
    ] as unknown as AnyRoute[];
    const document = describeApi({ title: 't', routes });
    await valid(document);
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
    const components = document.components as Record<string, Record<string, unknown>>;
    expect(refs.length).toBeGreaterThan(3);
    for (const [, kind, name] of refs) expect(components[kind as string]).toHaveProperty(name as string);
  });
});
