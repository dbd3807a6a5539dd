/** The stand-in server's description of itself: few routes, every kind of thing that a description has. */

const cell = {
  type: 'object',
  properties: { expected: { type: 'integer', minimum: 0 }, present: { type: 'integer' } },
  required: ['expected'],
};

const route = (tag: string, needs: string, summary: string, more: object = {}) => ({
  tags: [tag],
  summary,
  'x-needs': needs,
  responses: {
    '200': {
      description: 'The answer',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Meter' } } },
    },
    '403': { description: 'The privilege lacks' },
  },
  ...more,
});
const id = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^\\d{1,19}$' },
  description: 'The number of the meter',
};

export const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Amiable', version: '0.1.0', description: 'The central system' },
  tags: [
    { name: 'Meters', description: 'The meters and what is known of them.' },
    { name: 'Access', description: 'Who may do what.' },
  ],
  paths: {
    '/api/v1/meters': {
      get: route('Meters', 'meter:view', 'Meters, page by page', {
        description: 'Sorted by number. Go on with `after`.',
        parameters: [
          {
            name: 'q',
            in: 'query',
            required: false,
            schema: { type: 'string', maxLength: 200 },
            description: 'Words of name, place or serial number',
          },
          {
            name: 'limit',
            in: 'query',
            required: false,
            schema: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
          },
          { name: 'state', in: 'query', required: false, schema: { type: 'string', enum: ['new', 'named'] } },
        ],
        responses: {
          '200': {
            description: 'A page',
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  properties: {
                    meters: { type: 'array', items: { $ref: '#/components/schemas/Meter' } },
                    total: { type: 'integer' },
                    next: { anyOf: [{ type: 'string' }, { type: 'null' }] },
                  },
                  required: ['meters', 'total', 'next'],
                },
              },
            },
          },
          '401': { description: 'Nobody is logged in' },
        },
      }),
    },
    '/api/v1/meters/{id}': {
      get: route('Meters', 'meter:view', 'One meter', { parameters: [id] }),
      patch: route('Meters', 'meter:modify', 'Names a meter', {
        parameters: [id],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: { name: { type: ['string', 'null'], maxLength: 200 }, place: { type: 'string' } },
              },
            },
          },
        },
      }),
    },
    '/api/v1/meters/{id}/completeness': {
      get: route(
        'Meters',
        'reading:view',
        'What a meter lacks, day by day, with each of its gaps and the reason where one is known',
        {
          parameters: [id],
          responses: {
            '200': { description: '', content: { 'application/json': { schema: { type: 'array', items: cell } } } },
          },
        },
      ),
    },
    '/api/v1/live': {
      get: route('Meters', 'reading:view', 'Live values', {
        responses: { '200': { description: 'Server-sent events', content: { 'text/event-stream': {} } } },
      }),
    },
    '/api/v1/login': { post: route('Access', 'public', 'Logs in') },
    '/api/v1/me': { get: route('Access', 'public', 'Who is logged in') },
    '/api/v1/me/password': { put: route('Access', 'caller', 'Changes the own password') },
    '/api/v1/users/{id}': { delete: route('Access', 'user:delete', 'Ends an account', { parameters: [id] }) },
  },
  components: {
    schemas: {
      Meter: {
        type: 'object',
        description: 'One meter',
        properties: {
          id: { type: 'string' },
          serial: { type: 'string', minLength: 1, maxLength: 64 },
          name: { anyOf: [{ type: 'string', description: 'What people call it' }, { type: 'null' }] },
          state: { type: 'string', enum: ['new', 'named'] },
          lastSeen: { type: 'string', format: 'date-time' },
          behind: { $ref: '#/components/schemas/Meter' },
        },
        required: ['id', 'serial', 'name', 'state'],
      },
    },
  },
};
