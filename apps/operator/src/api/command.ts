/** `amiable api`: one request to the central system, whatever it is; for what has no command of its own. */
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';

const EXAMPLES = `
Examples:
  amiable api get /api/v1/status
  amiable api get '/api/v1/meters?q=elm&limit=5'
  amiable api patch /api/v1/meters/7 '{"name":"Elm Street 7"}'
  amiable api get /api/v1/openapi.json > amiable.json      what there is to ask`;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export function apiCommand(parent: Command): Command {
  const command = parent
    .command('api')
    .description('one request to the central system')
    .argument('<method>', METHODS.join(', '))
    .argument('<path>', 'such as /api/v1/status')
    .argument('[body]', 'JSON')
    .addHelpText('after', EXAMPLES);
  return action(command, async ({ client, terminal, words, options }) => {
    const [method = '', path = '', body] = words;
    if (!(METHODS as readonly string[]).includes(method.toLowerCase()))
      throw new UsageError(`${method} is none of ${METHODS.join(', ')}`);
    if (!path.startsWith('/')) throw new UsageError(`${path}: a path begins with /`);
    if (body !== undefined) {
      try {
        JSON.parse(body);
      } catch (error) {
        throw new UsageError(`the body is no JSON: ${(error as Error).message}`);
      }
    }
    const response = await client.send(method.toUpperCase(), path, {
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json; charset=utf-8' } }),
      signal: terminal.signal,
    });
    const text = await response.text();
    if (text === '') return;
    if (options.json || !(response.headers.get('content-type') ?? '').includes('json')) terminal.out(`${text}\n`);
    else terminal.out(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  });
}
