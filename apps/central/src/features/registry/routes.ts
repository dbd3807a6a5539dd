/** The registry over HTTP. */
import type { Context } from '../../context.ts';
import type { Router } from '../../http/router.ts';
import { attributeRoutes, groupRoutes, ratioRoutes, summaryRoutes, typeRoutes } from './catalogue.ts';
import { meterRegistryRoutes } from './meters.ts';
import { nodeRoutes } from './nodes.ts';

export function registryRoutes(router: Router, context: Context): void {
  nodeRoutes(router, context);
  meterRegistryRoutes(router, context);
  typeRoutes(router, context);
  attributeRoutes(router, context);
  groupRoutes(router, context);
  ratioRoutes(router, context);
  summaryRoutes(router, context);
}
