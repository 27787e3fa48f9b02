/**
 * Traces by OpenTelemetry's SDK, sent as OTLP over HTTP. Loaded only where an endpoint is named. Whatever leaves, spans
 * of other libraries too, goes through the same hiding of secrets as logs.
 */

import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  TraceFlags,
  context,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  NodeTracerProvider,
  ParentBasedSampler,
  RandomIdGenerator,
  type ReadableSpan,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';

import type { Logger } from '../definitions/context.ts';
import type { Environment } from '../definitions/deployment.ts';
import { capLine } from './lines.ts';
import type { Scrub } from './scrub.ts';
import {
  type ActiveSpan,
  type PastSpan,
  type SpanFields,
  type TraceParent,
  type TracePlace,
  type Tracing,
  formatTraceParent,
  parseTraceParent,
  placeOfRun,
} from './tracing.ts';

/** A receiver that is away must not hold up whoever ends, such as an attempt in a process of its own. */
const CLOSE_WITHIN_MS = 3_000;

export function startOtlp(env: Environment, url: string, scrub: Scrub): Tracing {
  let log: Logger | undefined;
  let isAway = false;
  const heard = (error: Error | undefined) => {
    if (error && !isAway) log?.warn('traces do not arrive', { error: error.message });
    if (!error && isAway) log?.info('traces arrive again');
    isAway = error !== undefined;
  };
  const ids = createIds();
  const root = new TraceIdRatioBasedSampler(ratioOf(env));
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'skein', 'process.pid': process.pid }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    sampler: new ParentBasedSampler({ root }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor(hiding(new OTLPTraceExporter({ url }), scrub, heard))],
  });
  provider.register(); // so that what an asset's own code traces finds its place
  const tracer = provider.getTracer('skein');
  const isSampled = (traceId: string) =>
    root.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  const ofRun = (run: string, kept: string) => {
    const place = placeOfRun(run, kept);
    return formatTraceParent(place, parseTraceParent(kept)?.isSampled ?? isSampled(place.traceId));
  };
  const tell = ({ name, startMs, endMs, fields, error }: PastSpan, parent: Context, place?: TracePlace) => {
    ids.next = place;
    const span = tracer.startSpan(name, { startTime: startMs, attributes: known(fields) }, parent);
    ids.next = undefined;
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(endMs);
  };

  return {
    here() {
      const at = trace.getSpanContext(context.active());
      return at && formatTraceParent(at, (at.traceFlags & TraceFlags.SAMPLED) !== 0);
    },
    async inSpan(name, parent, fields, work) {
      const outer = parent === undefined ? context.active() : parent === null ? ROOT_CONTEXT : below(parent);
      const span = tracer.startSpan(name, { attributes: known(fields) }, outer);
      try {
        return await context.with(trace.setSpan(outer, span), work, undefined, activeSpan(span));
      } catch (error) {
        activeSpan(span).fail(error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        span.end();
      }
    },
    ofRun,
    tellRun(run, kept, past) {
      const place = placeOfRun(run, kept);
      tell(past, place.parent === undefined ? ROOT_CONTEXT : below(place.parent), place);
    },
    tellInside: (run, kept, past) => tell(past, below(ofRun(run, kept))),
    reportTo(to) {
      log = to;
    },
    async close() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), late]);
    },
  };
}

function activeSpan(span: Span): ActiveSpan {
  return {
    set: (fields) => void span.setAttributes(known(fields)),
    fail: (message) => void span.setStatus({ code: SpanStatusCode.ERROR, message: capLine(message) }),
  };
}

function known(fields: SpanFields): Attributes {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));
}

function below(parent: TraceParent): Context {
  const at = parseTraceParent(parent);
  if (at === undefined) return ROOT_CONTEXT;
  const { traceId, spanId } = at;
  const traceFlags = at.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Random ids, but for a span that has its place already. */
function createIds(): IdGenerator & { next: TracePlace | undefined } {
  const random = new RandomIdGenerator();
  return {
    next: undefined,
    generateTraceId() {
      return this.next?.traceId ?? random.generateTraceId();
    },
    generateSpanId() {
      return this.next?.spanId ?? random.generateSpanId();
    },
  };
}

/**
 * How many traces are kept, by OpenTelemetry's variables. Every process decides by the trace's id alone, so a trace is
 * kept whole or not at all.
 */
function ratioOf(env: Environment): number {
  const sampler = env.OTEL_TRACES_SAMPLER ?? '';
  if (sampler.endsWith('always_off')) return 0;
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG ?? '1');
  return sampler.endsWith('traceidratio') && ratio >= 0 && ratio <= 1 ? ratio : 1;
}

/** The exporter, with secrets hidden in what it is given, and its failures heard. */
function hiding(inner: SpanExporter, scrub: Scrub, heard: (error: Error | undefined) => void): SpanExporter {
  const hide = (attributes: Attributes): Attributes =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, hideIn(value, scrub)]));
  const hidden = (span: ReadableSpan): ReadableSpan => {
    const { message } = span.status;
    const own: Partial<ReadableSpan> = {
      name: scrub(span.name),
      attributes: hide(span.attributes),
      status: message === undefined ? span.status : { ...span.status, message: scrub(message) },
      events: span.events.map((event) => ({ ...event, attributes: hide(event.attributes ?? {}) })),
      links: span.links.map((link) => ({ ...link, attributes: hide(link.attributes ?? {}) })),
    };
    // The rest, methods too, stays the span's own.
    const properties = Object.entries(own).map(([name, value]) => [name, { value, enumerable: true }] as const);
    return Object.create(span, Object.fromEntries(properties)) as ReadableSpan;
  };
  return {
    export(spans, done) {
      inner.export(spans.map(hidden), (result) => {
        heard(result.code === 0 ? undefined : (result.error ?? new Error('the receiver refused them')));
        done(result);
      });
    },
    shutdown: () => inner.shutdown(),
    forceFlush: () => inner.forceFlush?.() ?? Promise.resolve(),
  };
}

function hideIn(value: Attributes[string], scrub: Scrub): Attributes[string] {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'string' ? scrub(one) : one)) as typeof value;
  return value;
}
