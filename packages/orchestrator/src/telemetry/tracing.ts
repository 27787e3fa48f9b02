/**
 * Traces, as the engine sees them: one trace is tick (or request) → run → queue, attempts, phases. Off unless the
 * environment names an endpoint; then `otlp.ts` is loaded, and with it the SDK. A run's place in its trace follows from
 * its id, so no process has to tell another: the trace id is the ULID's 128 bits, the id of the run's own span its last 64.
 * What a tick or a request launched belongs to that one's trace instead; only then the run keeps whose (`trace`).
 */

import { ulidToUUID } from 'ulid';

import type { Logger } from '../definitions/context.ts';

export type SpanFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** W3C: `00-<trace id>-<span id>-<flags>`. */
export type TraceParent = string;

export interface ActiveSpan {
  set(fields: SpanFields): void;
  fail(message: string): void;
}

/** What ended before it is told. */
export interface PastSpan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly fields: SpanFields;
  /** Present: it failed. */
  readonly error?: string | undefined;
}

export interface Tracing {
  /** Of what is under way here; undefined where nothing is. */
  here(): TraceParent | undefined;
  /**
   * Runs work inside a span: what it begins, in code of any library, is below it. Work that throws fails the span.
   * @param parent undefined: what is under way here; null: nothing, a trace begins
   */
  inSpan<T>(
    name: string,
    parent: TraceParent | null | undefined,
    fields: SpanFields,
    work: (span: ActiveSpan) => Promise<T>,
  ): Promise<T>;
  /** The parent of whatever happens inside a run. @param trace as the run keeps it, or '' */
  ofRun(run: string, trace: string): TraceParent;
  /** A run that has ended, in its own place. */
  tellRun(run: string, trace: string, past: PastSpan): void;
  /** What happened inside a run. */
  tellInside(run: string, trace: string, past: PastSpan): void;
  /** Who is told, once, when traces do not arrive. */
  reportTo(log: Logger): void;
  /** Sends what is left, for a moment at most. */
  close(): Promise<void>;
}

/** Runs work as `Tracing.inSpan` does, or just runs it where nothing is traced. */
export function inSpan<T>(
  tracing: Tracing | undefined,
  name: string,
  parent: TraceParent | null | undefined,
  fields: SpanFields,
  work: (span?: ActiveSpan) => Promise<T>,
): Promise<T> {
  return tracing ? tracing.inSpan(name, parent, fields, work) : work();
}

export interface TracePlace {
  readonly traceId: string;
  readonly spanId: string;
}

/** Where a run's span lies, and below which one; see the head of this file. Pure. */
export function placeOfRun(run: string, trace: string): TracePlace & { readonly parent: TraceParent | undefined } {
  const bits = ulidToUUID(run).replaceAll('-', '').toLowerCase();
  const parent = parseTraceParent(trace);
  return {
    traceId: parent?.traceId ?? bits,
    spanId: bits.slice(16),
    parent: parent === undefined ? undefined : trace,
  };
}

const TRACE_PARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined for what is none. Pure. */
export function parseTraceParent(text: string): (TracePlace & { readonly isSampled: boolean }) | undefined {
  const [, traceId, spanId, flags = '00'] = TRACE_PARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceParent({ traceId, spanId }: TracePlace, isSampled: boolean): TraceParent {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
