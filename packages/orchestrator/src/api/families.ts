/** Routes that the job families of the deployment add, at the paths that they choose; behind the same door. */

import type { ApiContext, App } from './context.ts';

export async function registerFamilies(app: App, context: ApiContext): Promise<void> {
  const { engine, resources, client } = context;
  await app.register(async (child) => {
    child.addHook('onRoute', (route) => {
      route.config = { ...route.config, family: true };
    });
    for (const family of engine.deployment.routes) {
      family.register(child, {
        env: engine.env,
        open: (token) => resources.open(token),
        client: async () => client,
      });
    }
  });
}
