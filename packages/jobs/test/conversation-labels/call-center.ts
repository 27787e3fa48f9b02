/**
 * A small customer for tests: PostgreSQL with its conversations and ClickHouse with its labels, each in a database of
 * the test's own. Fixture F of the specification: customer `alaska-air`, profile `chat`, agents a and b, developer d.
 */

import { labelConversations, openClickHouse, type ClickHouse, createPool } from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { type AssetRun, runAsset } from '@skein/orchestrator/testing';
import type pg from 'pg';

import { testClickHouse, testDatabase } from '../../../../infra/embedded/test-services/index.ts';

export const CUSTOMER = 'alaska-air';
export const DAY = '2026-02-10';
/** Long after every fixture day. */
export const NOW = new Date('2026-03-01T00:00:00Z');

export interface Chat {
  readonly id: string;
  readonly agent?: string | null;
  readonly usecase?: string | null;
  readonly source?: number;
  readonly created?: string;
  readonly ended?: string | null;
  readonly deleted?: string;
  readonly customer?: string;
  readonly profile?: string;
}

export interface LabelRow {
  readonly customer_id: string;
  readonly profile_id: string;
  readonly conversation_id: string;
  readonly agent_user_id: string;
  readonly usecase_id: string;
  readonly conversation_start_time: string;
  readonly conversation_end_time: string;
  readonly has_agent_assistance: boolean;
  readonly conversation_source: number;
  readonly update_time: string;
}

export interface CallCenter {
  readonly appDb: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly database: string;
  readonly urls: { readonly clickhouse: string; readonly postgres: string };
  addChats(chats: readonly Chat[]): Promise<void>;
  addOnline(agent: string, from: string, to: string | null): Promise<void>;
  /** Puts label rows as they are, past the job. */
  plantLabels(rows: readonly Partial<LabelRow>[]): Promise<void>;
  labels(options?: { readonly final?: boolean; readonly where?: string }): Promise<LabelRow[]>;
  run(options: RunOptions): Promise<AssetRun>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly partitions?: readonly string[];
  readonly config?: JsonObject;
  readonly runId?: string;
  readonly attempt?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly now?: Date;
  readonly checkpoints?: Map<string, Json>;
  readonly signal?: AbortSignal;
  readonly clickhouse?: ClickHouse;
  readonly appDb?: pg.Pool;
}

let runs = 0;

export async function openCallCenter(): Promise<CallCenter> {
  const [postgres, labels] = await Promise.all([testDatabase('app'), testClickHouse({ schemas: ['conversations'] })]);
  const appDb = createPool(postgres.url);
  const clickhouse = openClickHouse(labels.url);
  const { database } = labels;
  await appDb.query('INSERT INTO app.profiles VALUES ($1, $2, $3)', [CUSTOMER, 'chat', database]);
  await appDb.query(`INSERT INTO app.agents VALUES ($1, 'a', false), ($1, 'b', false), ($1, 'd', true)`, [CUSTOMER]);

  return {
    appDb,
    clickhouse,
    database,
    urls: { clickhouse: labels.url, postgres: postgres.url },
    async addChats(chats) {
      for (const chat of chats) {
        await appDb.query(
          `INSERT INTO app.chats (customer_id, profile_id, conversation_id, agent_user_id, usecase_id, source, created_at, ended_at, updated_at, deleted_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9)
           ON CONFLICT (customer_id, profile_id, conversation_id) DO UPDATE
             SET agent_user_id = excluded.agent_user_id, usecase_id = excluded.usecase_id, source = excluded.source,
                 created_at = excluded.created_at, ended_at = excluded.ended_at, deleted_at = excluded.deleted_at`,
          [
            chat.customer ?? CUSTOMER,
            chat.profile ?? 'chat',
            chat.id,
            chat.agent === undefined ? 'a' : chat.agent,
            chat.usecase === undefined ? 'reservations-chat' : chat.usecase,
            chat.source ?? 0,
            at(chat.created ?? '01:33'),
            chat.ended === null ? null : at(chat.ended ?? '01:50'),
            chat.deleted === undefined ? null : at(chat.deleted),
          ],
        );
      }
    },
    async addOnline(agent, from, to) {
      await appDb.query('INSERT INTO app.agent_online VALUES ($1, $2, $3, $4)', [
        CUSTOMER,
        agent,
        at(from),
        to === null ? null : at(to),
      ]);
    },
    async plantLabels(rows) {
      await clickhouse.insert(`${database}.conversation_with_labels`, rows.map(labelRow));
    },
    labels: (options = {}) =>
      clickhouse.rows<LabelRow>(
        `SELECT * FROM ${database}.conversation_with_labels ${options.final ? 'FINAL' : ''} WHERE ${options.where ?? '1'}
         ORDER BY conversation_id, agent_user_id, update_time`,
      ),
    run: ({ clickhouse: otherClickHouse, appDb: otherDb, tags = {}, ...options }) =>
      runAsset(withTags(tags), {
        runId: `RUN${++runs}`,
        now: NOW,
        ...options,
        resources: { clickhouse: otherClickHouse ?? clickhouse, appDb: otherDb ?? appDb },
      }),
    async close() {
      await appDb.end();
      await clickhouse.close();
      await Promise.all([postgres.drop(), labels.drop()]);
    },
  };
}

/** `01:50` is a time of the fixture's day. */
export function at(text: string): string {
  if (/^\d\d:\d\d/.test(text)) return `${DAY}T${text.length === 5 ? `${text}:00` : text}Z`;
  return text.includes('T') ? text : `${text}T00:00:00Z`;
}

export function labelRow(row: Partial<LabelRow>): LabelRow {
  return {
    customer_id: CUSTOMER,
    profile_id: 'chat',
    conversation_id: 'c1',
    agent_user_id: 'a',
    usecase_id: 'reservations-chat',
    conversation_start_time: '2026-02-10 01:33:00.000',
    conversation_end_time: '2026-02-10 01:50:00.000',
    has_agent_assistance: true,
    conversation_source: 0,
    update_time: '2026-02-10 02:00:00.000000',
    ...row,
  };
}

export const partition = (day: string = DAY, customer: string = CUSTOMER) => `${customer}_${day}`;

/** The asset as a run with these tags meets it. */
function withTags(tags: Readonly<Record<string, string>>): typeof labelConversations {
  const { tasks } = labelConversations;
  if (!tasks) throw new TypeError('the asset fans out');
  const tagged = <C extends { readonly run: object }>(context: C) => ({ ...context, run: { ...context.run, tags } });
  return {
    ...labelConversations,
    tasks: {
      plan: (context) => tasks.plan(tagged(context) as typeof context),
      run: (context) => tasks.run(tagged(context) as typeof context),
      settle: (context) => tasks.settle(tagged(context) as typeof context),
    },
  };
}
