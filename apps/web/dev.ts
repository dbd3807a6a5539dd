/** Development: the page with hot reload over the stand-in server. `MODE=empty|error|loading|many` picks its mood. */
import { createServer } from 'vite';
import { webConfig } from './build.ts';
import { createMock, isMockMode } from './test/mock.ts';

const mode = process.env.MODE ?? 'live';
if (!isMockMode(mode)) throw new Error(`MODE is one of live, empty, error, loading, many; not ${mode}`);
const mock = createMock({ mode });
const server = await createServer({
  ...webConfig(),
  logLevel: 'info',
  server: { port: Number(process.env.PORT ?? 5173) },
  plugins: [
    ...(webConfig().plugins ?? []),
    {
      name: 'stand-in',
      configureServer(dev) {
        dev.middlewares.use((request, response, next) => {
          if (request.url?.startsWith('/api/')) mock.handle(request, response);
          else next();
        });
      },
    },
  ],
});
await server.listen();
server.printUrls();
