/** Whether anything is traced: where the environment names an endpoint. Only then the SDK is loaded. */

import type { Environment } from '../definitions/deployment.ts';
import type { Scrub } from './scrub.ts';
import type { Tracing } from './tracing.ts';

/** Undefined, and no SDK is loaded, where no endpoint is named. */
export async function openTracing(env: Environment, scrub: Scrub): Promise<Tracing | undefined> {
  const url = endpointOf(env);
  if (url === undefined) return undefined;
  const { startOtlp } = await import('./otlp.ts');
  return startOtlp(env, url, scrub);
}

/** By the names that OpenTelemetry gives these variables. Pure. */
export function endpointOf(env: Environment): string | undefined {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const traces = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (traces !== undefined && traces !== '') return traces;
  const all = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return all === undefined || all === '' ? undefined : `${all.replace(/\/$/, '')}/v1/traces`;
}
