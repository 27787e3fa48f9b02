// Made by `npm run generate -w @skein/ui` from the OpenAPI document. Do not edit.

import { operation } from '../operation.ts';

export type RoleInput = "viewer" | "operator" | "admin";

export type BackfillRequestInput = { readonly job: string; /** Ids and ranges such as `1..50`; absent: every known one. */
readonly ids?: readonly (string)[]; /** First column by its label, such as a day. */
readonly from?: string; /** Last one, included; absent: the last complete one. */
readonly to?: string; /** Only partitions whose last outcome is one of these. */
readonly statuses?: readonly ("missing" | "materialized" | "failed" | "skipped")[]; readonly order?: "oldest" | "newest"; readonly config?: { readonly [key: string]: unknown }; readonly tags?: { readonly [key: string]: string }; /** Runs at once; default 10. */
readonly max_active?: number; readonly stop_after_failures?: number; readonly priority?: number; readonly reason?: string };

export type LaunchRequestInput = { readonly job: string; /** Keys, or ranges such as `1..50_2024-01-01..2024-03-31`. */
readonly partitions?: readonly (string)[]; readonly config?: { readonly [key: string]: unknown }; readonly tags?: { readonly [key: string]: string }; readonly priority?: number; /** The same key launches once. */
readonly run_key?: string; readonly dry_run?: boolean; readonly reason?: string };

export type ErrorFact = { readonly code: string; readonly message: string };

export type FieldError = { readonly path: string; readonly message: string };

export type Problem = { readonly type: string; /** Stable; scripts match on it. */
readonly code: string; readonly title: string; readonly status: number; readonly detail: string; readonly request_id: string; /** Wrong fields, each by its path. */
readonly errors?: readonly (FieldError)[]; readonly current_version?: number; /** Of a conflict: what is stored by now. */
readonly current?: unknown; readonly reason?: string };

export type Done = { readonly ok: true };

export type RunStatus = "QUEUED" | "STARTING" | "STARTED" | "SUCCESS" | "FAILURE" | "CANCELING" | "CANCELED";

export type Run = { readonly id: string; readonly job: string; readonly status: RunStatus; readonly tags: { readonly [key: string]: string }; /** Who or what asked: `sensor:NAME:TICK`, `api:NAME`, `cli:NAME`, `backfill:ID`, `retry:ID`. */
readonly cause: string; readonly priority: number; /** Of its partitions; null where the config names the scope. */
readonly first_partition: string | null; readonly created_at: string; readonly started_at: string | null; readonly ended_at: string | null; readonly end_reason: string | null; readonly error: ErrorFact | null; /** What a queued run waits for, in words. */
readonly blocked: string | null; readonly counts: { readonly total: number; readonly materialized: number; readonly failed: number; readonly skipped: number }; readonly progress: { readonly done: number; readonly total: number; readonly note: string } | null };

export type RunPartition = { readonly asset: string; readonly key: string; readonly outcome: "materialized" | "failed" | "skipped" | null; readonly error: ErrorFact | null; readonly metadata: { readonly [key: string]: unknown }; /** The earlier run that made it, where this one went on from its failure. */
readonly from_run: string | null };

export type RunWithPartitions = { readonly id: string; readonly job: string; readonly status: RunStatus; readonly tags: { readonly [key: string]: string }; /** Who or what asked: `sensor:NAME:TICK`, `api:NAME`, `cli:NAME`, `backfill:ID`, `retry:ID`. */
readonly cause: string; readonly priority: number; /** Of its partitions; null where the config names the scope. */
readonly first_partition: string | null; readonly created_at: string; readonly started_at: string | null; readonly ended_at: string | null; readonly end_reason: string | null; readonly error: ErrorFact | null; /** What a queued run waits for, in words. */
readonly blocked: string | null; readonly counts: { readonly total: number; readonly materialized: number; readonly failed: number; readonly skipped: number }; readonly progress: { readonly done: number; readonly total: number; readonly note: string } | null; /** Values of secret fields are masked. */
readonly config: { readonly [key: string]: unknown }; readonly result: { readonly [key: string]: unknown } | null; /** Who began it. */
readonly worker: string | null; /** Of the asset’s code that settled the last of its steps. */
readonly code_version: string | null; /** The first 100; the rest by /runs/{id}/partitions. */
readonly partitions: readonly (RunPartition)[]; readonly partitions_total: number };

export type RunEvent = { readonly id: string; readonly type: string; readonly at: string; readonly fields: { readonly [key: string]: unknown } };

export type LogLine = { readonly id: string; readonly at: string; readonly level: string; readonly message: string; readonly fields: { readonly [key: string]: unknown }; /** `<run>.<step>.<unit>.<number>` */
readonly attempt: string };

export type Role = "viewer" | "operator" | "admin";

export type Me = { readonly name: string; readonly role: Role; readonly via: "none" | "token" | "session"; readonly auth_mode: string; /** Jobs that one is limited to; null: all. */
readonly jobs: readonly (string)[] | null; readonly permissions: { readonly [key: string]: { readonly allowed: boolean; readonly reason: string } } };

export type Token = { readonly id: string; readonly name: string; readonly role: Role; /** Jobs that it is limited to; null: all. */
readonly jobs: readonly (string)[] | null; readonly created_at: string; readonly created_by: string; readonly expires_at: string | null; readonly last_used_at: string | null };

export type AuditEntry = { readonly id: string; readonly at: string; readonly actor: string; readonly role: string; readonly ip: string; readonly action: string; readonly target: string; readonly reason: string; readonly before: unknown; readonly after: unknown; readonly request_id: string; readonly result: string };

export type PartitionCounts = { readonly materialized: number; readonly failed: number; readonly skipped: number; readonly queued: number; readonly running: number; readonly cancelling: number };

export type PartitionsInfo = { readonly kind: "single" | "static" | "dynamic" | "time_window" | "composite"; readonly grammar: string; /** Of the first dimension, such as team_id. */
readonly row_name: string | null; /** Rows that have a state. */
readonly rows: number; readonly column_kind: "single" | "time"; /** Label of column 0. */
readonly first_column: string; /** The last column whose window has ended; −1 when none. */
readonly last_complete_column: number; readonly last_complete_label: string | null; readonly static_keys: readonly (string)[] | null };

export type Asset = { readonly key: string; readonly description: string; readonly group: string; readonly partitions: PartitionsInfo; readonly depends_on: readonly ({ readonly asset: string; readonly mapping: "identity" | "all" | "time_window" })[]; readonly jobs: readonly (string)[]; readonly sensors: readonly (string)[]; readonly schedules: readonly (string)[]; readonly pool: string | null; readonly resources: readonly (string)[]; /** Whose days its data are due by: of its freshness policy, else of its schedule; an IANA name, else UTC. */
readonly time_zone: string; readonly fans_out: boolean; readonly counts: PartitionCounts; /** Partitions that could exist by now: rows × complete columns. */
readonly total: number; readonly missing: number };

export type Freshness = { readonly state: "fresh" | "late" | "unknown"; readonly within_ms: number; readonly cron: string | null; /** Of the cron expression; IANA name. */
readonly time_zone: string; /** The moment whose data must be there now. */
readonly due_at: string; /** Of the window that is due, such as the day. */
readonly label: string | null; /** Ids that were looked at. */
readonly rows: number; readonly late_rows: number; /** The first of the ids that are late. */
readonly late: readonly (string)[] };

export type AssetDetail = { readonly key: string; readonly description: string; readonly group: string; readonly partitions: PartitionsInfo; readonly depends_on: readonly ({ readonly asset: string; readonly mapping: "identity" | "all" | "time_window" })[]; readonly jobs: readonly (string)[]; readonly sensors: readonly (string)[]; readonly schedules: readonly (string)[]; readonly pool: string | null; readonly resources: readonly (string)[]; /** Whose days its data are due by: of its freshness policy, else of its schedule; an IANA name, else UTC. */
readonly time_zone: string; readonly fans_out: boolean; readonly counts: PartitionCounts; /** Partitions that could exist by now: rows × complete columns. */
readonly total: number; readonly missing: number; /** JSON schema, draft 7, of the config. */
readonly config_schema: { readonly [key: string]: unknown }; /** What the schema makes of an empty config; null when it refuses one. */
readonly default_config: { readonly [key: string]: unknown } | null; /** The config has a dry_run. */
readonly can_rehearse: boolean; readonly code_version: string | null; /** Null where the asset has no policy. */
readonly freshness: Freshness | null; readonly isolation: string; readonly timeout_ms: number | null; readonly max_attempts: number; readonly checks: readonly ({ readonly name: string; readonly description: string; readonly severity: "warn" | "error" })[] };

export type Job = { readonly name: string; readonly description: string; readonly assets: readonly (string)[]; readonly tags: { readonly [key: string]: string }; readonly priority: number; readonly max_active_runs: number | null; readonly on_busy: "wait" | "join" | "refuse"; readonly sensors: readonly (string)[]; readonly schedules: readonly (string)[]; readonly runs: { readonly active: number; readonly total: number } };

export type JobDetail = { readonly name: string; readonly description: string; readonly assets: readonly (string)[]; readonly tags: { readonly [key: string]: string }; readonly priority: number; readonly max_active_runs: number | null; readonly on_busy: "wait" | "join" | "refuse"; readonly sensors: readonly (string)[]; readonly schedules: readonly (string)[]; readonly runs: { readonly active: number; readonly total: number }; /** Of the one asset; of several: an object with an entry each. */
readonly config_schema: { readonly [key: string]: unknown }; readonly partition_grammar: string; /** False when a config alone may name the scope. */
readonly needs_partitions: boolean };

export type Partition = { readonly key: string; readonly row: string; readonly column: number; readonly outcome: "missing" | "materialized" | "failed" | "skipped"; readonly activity: "idle" | "queued" | "running" | "cancelling"; readonly last_run: { readonly run_id: string; readonly status: RunStatus; readonly ended_at: string | null; /** Unsuccessful runs since the last success. */
readonly failures: number } | null };

export type StaleReason = { readonly kind: "upstream" | "code"; /** Upstream: the asset that is newer. */
readonly asset: string | null; /** Upstream: its newest partition that this one was made from. */
readonly key: string | null; /** Upstream: when that was materialized. */
readonly at: string | null; /** Code: the version that made this partition. */
readonly made_by: string | null; /** Code: the version now. */
readonly code_version: string | null };

export type PartitionCard = { readonly key: string; readonly row: string; readonly column: number; readonly outcome: "missing" | "materialized" | "failed" | "skipped"; readonly activity: "idle" | "queued" | "running" | "cancelling"; readonly last_run: { readonly run_id: string; readonly status: RunStatus; readonly ended_at: string | null; /** Unsuccessful runs since the last success. */
readonly failures: number } | null; /** Of the column, such as the day. */
readonly label: string; /** The last run, or the one that is at it. */
readonly run: Run | null; /** What that run recorded of this partition. */
readonly result: RunPartition | null; /** Something it was made from is newer; null where nothing is materialized. */
readonly stale: boolean | null; readonly stale_reasons: readonly (StaleReason)[] };

export type PartitionRow = { readonly id: string; readonly counts: PartitionCounts; /** Complete columns, such as days, after the last one that is made or skipped, at most 512; null where the asset has no time. */
readonly lag: number | null };

export type BackfillPlan = { readonly total: number; readonly to_run: number; readonly by_status: { readonly missing: number; readonly materialized: number; readonly failed: number; readonly skipped: number; readonly active: number }; /** Of those that would run, how many have an upstream partition that is not made; by upstream asset. */
readonly upstream_not_made: { readonly [key: string]: number }; readonly first: string | null; readonly last: string | null };

export type BackfillPace = { readonly from: string; /** How long the span is: 1 in the first four hours, then 60; empty spans are left out. */
readonly minutes: number; readonly succeeded: number; readonly failed: number; readonly canceled: number };

export type Backfill = { readonly id: string; readonly job: string; readonly asset: string | null; readonly status: "REQUESTED" | "IN_PROGRESS" | "COMPLETED" | "COMPLETED_WITH_FAILURES" | "PAUSED" | "CANCELED"; readonly status_by: string; readonly status_reason: string; readonly rows_total: number; /** The first 1,000. */
readonly rows: readonly (string)[]; /** First column. */
readonly from: number; /** Last column, included. */
readonly to: number; readonly from_label: string; readonly to_label: string; readonly order: "oldest" | "newest"; readonly statuses: readonly ("missing" | "materialized" | "failed" | "skipped")[]; readonly config: { readonly [key: string]: unknown }; readonly max_active: number; readonly priority: number; /** Grows whenever its status or its limits change; also the ETag, to send back as If-Match. */
readonly version: number; readonly total: number; /** Partitions looked at so far. */
readonly position: number; readonly requested: number; /** Passed over because of their state. */
readonly passed: number; readonly active: number; readonly succeeded: number; readonly failed: number; readonly canceled: number; readonly by: string; readonly created_at: string; readonly ended_at: string | null };

export type SensorStatus = "RUNNING" | "STOPPED";

export type Sensor = { readonly name: string; readonly description: string; readonly job: string; readonly assets: readonly (string)[]; readonly every_ms: number; readonly timeout_ms: number; readonly status: SensorStatus; readonly default_status: SensorStatus; /** `definition`, or who turned it. */
readonly status_by: string; readonly status_at: string | null; /** Of the switch, growing with each word of a person; also the ETag, to send back as If-Match. */
readonly status_version: number; readonly running_tick: string | null; readonly last_tick: { readonly id: string; readonly decision: string; readonly reason: string; readonly ended_at: string | null } | null; readonly next_due_at: string | null; readonly error_streak: number; /** Decisions of the newest ticks, 48 at most, oldest first. */
readonly recent: readonly (string)[] };

export type SensorDetail = { readonly name: string; readonly description: string; readonly job: string; readonly assets: readonly (string)[]; readonly every_ms: number; readonly timeout_ms: number; readonly status: SensorStatus; readonly default_status: SensorStatus; /** `definition`, or who turned it. */
readonly status_by: string; readonly status_at: string | null; /** Of the switch, growing with each word of a person; also the ETag, to send back as If-Match. */
readonly status_version: number; readonly running_tick: string | null; readonly last_tick: { readonly id: string; readonly decision: string; readonly reason: string; readonly ended_at: string | null } | null; readonly next_due_at: string | null; readonly error_streak: number; /** Decisions of the newest ticks, 48 at most, oldest first. */
readonly recent: readonly (string)[]; readonly cursor: unknown; readonly cursor_version: number; readonly cursor_generation: number; /** JSON schema, draft 7, for the form. */
readonly cursor_schema: { readonly [key: string]: unknown }; /** What a reset restores. */
readonly initial_cursor: unknown; readonly resources: readonly (string)[] };

export type Tick = { readonly id: string; readonly sensor: string; /** STARTED, SUCCESS, SKIPPED, FAILURE */
readonly status: string; /** running, requested, suppressed, acted, skipped, failed, timed_out */
readonly decision: string; readonly reason: string; /** `timer`, or who asked for it. */
readonly trigger: string; readonly worker: string | null; readonly started_at: string; readonly ended_at: string | null; readonly duration_ms: number | null; readonly requested: number; readonly suppressed: number; readonly run_ids: readonly (string)[]; /** The earlier runs of suppressed requests. */
readonly suppressed_run_ids: readonly (string)[]; readonly cursor_before: unknown; readonly cursor_after: unknown; /** What its code logged; `at` in ms since it was begun. */
readonly log: readonly ({ readonly at: number; readonly level: string; readonly text: string })[] };

export type TickMark = { readonly id: string; readonly at: string; readonly decision: string; readonly duration_ms: number | null; readonly requested: number };

export type Cursor = { readonly cursor: unknown; /** Also the ETag; send it back as If-Match. */
readonly version: number; /** Grows with each reset or restore; older run keys no longer suppress. */
readonly generation: number };

export type CursorChange = { readonly version: number; readonly at: string; /** `tick:ID`, or a person. */
readonly by: string; readonly reason: string; readonly before: unknown; readonly after: unknown };

export type PreviewTick = { readonly at: string; readonly requests: readonly ({ readonly partitions: readonly (string)[]; readonly config: unknown; readonly tags: { readonly [key: string]: string }; readonly run_key: string | null; /** What has this key already, a run or an earlier tick of this preview: nothing would be launched. */
readonly suppressed_by: string | null })[]; readonly skip_reason: string | null; readonly cursor_before: unknown; readonly cursor_after: unknown };

export type FailureGroup = { readonly fingerprint: string; readonly code: string; /** Of the newest run. */
readonly message: string; /** The message with what varies masked. */
readonly pattern: string; readonly runs: number; readonly partitions_failed: number; readonly jobs: readonly (string)[]; readonly first_at: string; readonly last_at: string; /** The newest 20. */
readonly run_ids: readonly (string)[] };

export type RunLimit = { readonly kind: "job" | "tag"; readonly name: string; /** Of a tag; null where the limit is for any. */
readonly value: string | null; /** Each value of the tag has as many. */
readonly per_value: boolean; /** Runs at once. */
readonly limit: number; /** One; of a limit for each value, those that runs wait for, 100 at most. */
readonly slots: readonly ({ readonly slot: string; readonly used: number; /** Runs that stand aside. */
readonly waiting: number })[] };

export type LaunchCheck = { readonly ok: boolean; readonly errors: readonly (FieldError)[]; readonly partitions_total: number; /** The first 100. */
readonly partitions: readonly ({ readonly key: string; readonly outcome: "missing" | "materialized" | "failed" | "skipped"; readonly activity: "idle" | "queued" | "running" | "cancelling" })[]; /** Of those, how many are queued or running: the run waits, joins or is refused. */
readonly busy: number; /** With defaults and what the partitions fill in; secrets masked. */
readonly effective_config: { readonly [key: string]: unknown } | null; readonly tags: { readonly [key: string]: string }; readonly priority: number | null; /** The states of the partitions will stay as they are. */
readonly rehearsal: boolean; readonly on_busy: "wait" | "join" | "refuse" | null; /** What this config destroys beyond its partitions, if anything: an administrator types its name first. */
readonly destroys: { readonly name: string; readonly what: string } | null };

export type Marked = { readonly changed: number; /** Left alone because they are queued or running. */
readonly busy: number };

export type Overview = { readonly runs: { readonly queued: number; readonly active: number; readonly success: number; readonly failure: number; readonly canceled: number }; /** Runs that ended, by the hour, oldest first. */
readonly hours: readonly ({ readonly at: string; readonly success: number; readonly failure: number; readonly canceled: number })[]; readonly assets: readonly ({ readonly key: string; readonly counts: PartitionCounts })[]; readonly sensors: { readonly running: number; readonly stopped: number; readonly failing: readonly (string)[]; /** Without a tick for more than three intervals. */
readonly late: readonly (string)[] }; readonly backfills_live: number; readonly workers: number; /** Attempts that the workers take at once. */
readonly slots: number; readonly attempts_active: number };

export type Pool = { readonly name: string; /** The one that counts now. */
readonly limit: number; readonly default_limit: number; /** What a person set, over everything else. */
readonly set_limit: number | null; /** What the probe of its destination found, over the default. */
readonly live_limit: number | null; /** Whose limit counts. */
readonly limit_by: "set" | "probe" | "definition" | "default"; /** Why, as the person or the probe said. */
readonly reason: string; /** Of the probe; null where there is none. */
readonly bounds: { readonly min: number; readonly max: number } | null; readonly used: number; /** Also the ETag; send it back as If-Match. */
readonly version: number; readonly assets: readonly (string)[] };

export type MatchingRuns = { readonly count: number; /** False when there are more than were counted (10000 at most). */
readonly exact: boolean; /** Of those counted, how many have not ended. */
readonly active: number; readonly by_status: { readonly [key: string]: number }; readonly oldest_at: string | null; readonly newest_at: string | null; /** Runs created later are not counted; pass it as `before` to act on exactly these. */
readonly as_of: string; readonly sample: readonly ({ readonly id: string; readonly job: string; readonly status: RunStatus })[] };

export type BulkStep = { readonly matched: number; readonly done: number; readonly refused: readonly ({ readonly run_id: string; readonly reason: string })[]; /** `after` of the next call; null at the end. */
readonly next: string | null };

export type RunGroup = { /** The job, what caused them, or the error with what varies masked; empty: no error. */
readonly name: string; readonly count: number; readonly by_status: { readonly [key: string]: number }; readonly newest_id: string; readonly newest_at: string; readonly oldest_at: string };

export type LogTemplates = { /** Looked at, from the first one. */
readonly lines: number; /** False when the log has more lines, or more kinds of them, than were looked at. */
readonly is_whole: boolean; readonly items: readonly ({ readonly pattern: string; readonly level: string; readonly count: number; readonly example: string })[] };

export type LogWindow = { readonly items: readonly (LogLine)[]; /** Lines that are kept, of every level. */
readonly total: number; readonly has_before: boolean; readonly has_after: boolean; /** Where a read backwards goes on, also when a level hid all lines so far. */
readonly next_before?: string | null; /** Where a read forwards goes on. */
readonly next_after?: string | null };

export type Why = { readonly sentences: readonly (string)[]; readonly cause: { readonly kind: string; readonly name: string; readonly tick: string | null }; readonly blocked: string | null; readonly waits_for_run: string | null; readonly pool: { readonly name: string; readonly limit: number; readonly used: number; /** Why the limit is what it is. */
readonly reason: string } | null; readonly place: { readonly ahead_in_lane: number; readonly lanes: number } | null; /** Units of work by state. */
readonly units: { readonly [key: string]: number }; /** Alive now. */
readonly workers: number };

export type RunView = { readonly name: string; readonly q: string; readonly by: string; readonly at: string; /** Also the ETag; send it back as If-Match. */
readonly version: number };

export type Preset = { readonly job: string; readonly name: string; readonly description: string; readonly config: { readonly [key: string]: unknown }; readonly by: string; readonly at: string; /** Also the ETag; send it back as If-Match. */
readonly version: number };

export type Schedule = { readonly name: string; readonly description: string; readonly job: string; readonly cron: string; readonly time_zone: string; readonly catch_up: "skip" | "latest" | "all"; readonly status: SensorStatus; readonly default_status: SensorStatus; readonly status_by: string; readonly status_at: string | null; /** Of the switch, growing with each word of a person; also the ETag, to send back as If-Match. */
readonly status_version: number; readonly last_tick: { readonly id: string; readonly decision: string; readonly reason: string; readonly ended_at: string | null } | null; /** When it is looked at next; null while it is stopped. */
readonly next_due_at: string | null; /** As the cron expression has them, running or not. */
readonly next_times: readonly (string)[]; readonly error_streak: number };

export type SearchHit = { readonly kind: "asset" | "job" | "sensor" | "schedule" | "pool" | "run" | "partition"; readonly id: string; readonly title: string; readonly detail: string; /** Of a partition. */
readonly asset?: string };

export type SignInMethods = { /** By a token. */
readonly token: boolean; /** By a provider. */
readonly oidc: { readonly label: string; /** Where the browser goes; takes `return_to`. */
readonly url: string } | null };

export type SqlAnswer = { readonly columns: readonly (string)[]; readonly rows: readonly ({ readonly [key: string]: unknown })[]; /** There are more rows than `max_rows`, or than 4 MiB of them. */
readonly cut: boolean; /** What a reader must know, such as what of the ledger was not loaded. */
readonly notes: readonly (string)[] };

export type Worker = { readonly id: string; readonly host: string; readonly pid: number; readonly concurrency: number; readonly active: number; readonly rss_bytes: number; readonly last_heard_at: string };

export type System = { readonly workers: readonly (Worker)[]; /** What an operator should look at, in words. */
readonly warnings: readonly (string)[]; readonly redis: { readonly version: string; readonly used_memory_bytes: number; readonly max_memory_bytes: number; readonly policy: string; readonly aof: boolean; readonly aof_fsync: string; readonly keys: number; readonly connected_clients: number; readonly ops_per_second: number; readonly uptime_seconds: number; readonly state_version: number }; readonly queues: { /** Attempts that are out but not begun. */
readonly outbox: number; readonly oldest_outbox_ms: number; /** Attempts under way. */
readonly leases: number; readonly delayed: number; readonly cancelling: number; readonly queued: readonly ({ readonly pool: string; readonly priority: number; readonly lanes: number; readonly units: number })[]; /** BullMQ queues by state. */
readonly bells: { readonly [key: string]: { readonly [key: string]: number } } }; /** Counters that the ledger keeps, such as fenced_commits. */
readonly stats: { readonly [key: string]: number }; readonly clock_skew_ms: number; /** Dashboards that listen to this process. */
readonly listeners: number; readonly auth_mode: string; readonly server: { readonly pid: number; readonly node: string; readonly uptime_seconds: number; readonly rss_bytes: number } };

/** Who asks, and what they may do, with the reason */
export const getMe = /* @__PURE__ */ operation<Record<never, never>, Me>('getMe', 'GET', '/api/v1/me', []);

/** Open a browser session with a token */
export const signIn = /* @__PURE__ */ operation<{ body: { readonly token: string } }, Me>('signIn', 'POST', '/api/v1/session', []);

/** End the browser session */
export const signOut = /* @__PURE__ */ operation<Record<never, never>, Done>('signOut', 'DELETE', '/api/v1/session', []);

/** API tokens, without their text */
export const listTokens = /* @__PURE__ */ operation<Record<never, never>, { readonly items: readonly (Token)[]; readonly next: string | null }>('listTokens', 'GET', '/api/v1/tokens', []);

/** Make an API token; its text is in this answer and nowhere else */
export const createToken = /* @__PURE__ */ operation<{ body: { readonly name: string; readonly role: RoleInput; /** Limits it to these jobs, their assets, sensors, schedules, runs and backfills. */
readonly jobs?: readonly (string)[]; readonly expires_at?: string; readonly reason?: string } }, { readonly id: string; readonly name: string; readonly role: Role; /** Jobs that it is limited to; null: all. */
readonly jobs: readonly (string)[] | null; readonly created_at: string; readonly created_by: string; readonly expires_at: string | null; readonly last_used_at: string | null; readonly token: string }>('createToken', 'POST', '/api/v1/tokens', []);

/** Revoke a token and its sessions, at once */
export const revokeToken = /* @__PURE__ */ operation<{ reason?: string; id: string }, Done>('revokeToken', 'DELETE', '/api/v1/tokens/{id}', ['reason']);

/** Every change, newest first */
export const listAudit = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (AuditEntry)[]; readonly next: string | null }>('listAudit', 'GET', '/api/v1/audit', ['limit', 'after']);

/** Undo a change, where an inverse exists and nobody changed it since */
export const undoChange = /* @__PURE__ */ operation<{ id: string; body?: { readonly reason?: string } | null }, { readonly target: string; readonly before: unknown; readonly after: unknown }>('undoChange', 'POST', '/api/v1/audit/{id}/undo', []);

/** The ways to sign in here */
export const listSignInMethods = /* @__PURE__ */ operation<Record<never, never>, SignInMethods>('listSignInMethods', 'GET', '/api/v1/session/methods', []);

/** Everything at a glance */
export const getOverview = /* @__PURE__ */ operation<Record<never, never>, Overview>('getOverview', 'GET', '/api/v1/overview', []);

/** Assets, jobs, sensors, schedules, runs and partitions that a text may mean */
export const search = /* @__PURE__ */ operation<{ q: string }, { readonly items: readonly (SearchHit)[] }>('search', 'GET', '/api/v1/search', ['q']);

/** Saved views of the list of runs */
export const listViews = /* @__PURE__ */ operation<Record<never, never>, { readonly items: readonly (RunView)[]; readonly next: string | null }>('listViews', 'GET', '/api/v1/views', []);

/** A saved view; its version is also the ETag */
export const getView = /* @__PURE__ */ operation<{ name: string }, RunView>('getView', 'GET', '/api/v1/views/{name}', []);

/** Save a query of runs under a name */
export const saveView = /* @__PURE__ */ operation<{ name: string; body: { readonly q: string }; ifMatch?: string }, RunView>('saveView', 'PUT', '/api/v1/views/{name}', []);

/** Remove a saved view */
export const deleteView = /* @__PURE__ */ operation<{ name: string; ifMatch?: string }, Done>('deleteView', 'DELETE', '/api/v1/views/{name}', []);

/** Configs of a job that people keep under a name */
export const listPresets = /* @__PURE__ */ operation<{ name: string }, { readonly items: readonly (Preset)[]; readonly next: string | null }>('listPresets', 'GET', '/api/v1/jobs/{name}/presets', []);

/** A preset of a job; its version is also the ETag */
export const getPreset = /* @__PURE__ */ operation<{ name: string; preset: string }, Preset>('getPreset', 'GET', '/api/v1/jobs/{name}/presets/{preset}', []);

/** Keep a config of a job under a name; it may hold a part of the fields */
export const savePreset = /* @__PURE__ */ operation<{ name: string; preset: string; body: { readonly config: { readonly [key: string]: unknown }; readonly description?: string }; ifMatch?: string }, Preset>('savePreset', 'PUT', '/api/v1/jobs/{name}/presets/{preset}', []);

/** Remove a preset */
export const deletePreset = /* @__PURE__ */ operation<{ name: string; preset: string; ifMatch?: string }, Done>('deletePreset', 'DELETE', '/api/v1/jobs/{name}/presets/{preset}', []);

/** Recent failed runs grouped by cause, most frequent first */
export const listFailures = /* @__PURE__ */ operation<{ runs?: number; job?: string; cause?: string }, { readonly looked_at: number; readonly items: readonly (FailureGroup)[] }>('listFailures', 'GET', '/api/v1/failures', ['runs', 'job', 'cause']);

/** Recent failed runs whose error is like that of a run; null when there is none, or it did not fail */
export const listSimilarFailures = /* @__PURE__ */ operation<{ id: string }, { readonly group: FailureGroup | null }>('listSimilarFailures', 'GET', '/api/v1/runs/{id}/similar', []);

/** All assets with their counts */
export const listAssets = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (Asset)[]; readonly next: string | null }>('listAssets', 'GET', '/api/v1/assets', ['limit', 'after']);

/** An asset with the JSON schema of its config */
export const getAsset = /* @__PURE__ */ operation<{ key: string }, AssetDetail>('getAsset', 'GET', '/api/v1/assets/{key}', []);

/** Assets that have a freshness policy, and whether what is due is there */
export const listFreshness = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly ({ readonly asset: string; readonly freshness: Freshness })[]; readonly next: string | null }>('listFreshness', 'GET', '/api/v1/freshness', ['limit', 'after']);

/** All jobs */
export const listJobs = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (Job)[]; readonly next: string | null }>('listJobs', 'GET', '/api/v1/jobs', ['limit', 'after']);

/** A job with the JSON schema of its config */
export const getJob = /* @__PURE__ */ operation<{ name: string }, JobDetail>('getJob', 'GET', '/api/v1/jobs/{name}', []);

/** How many partitions are in which state, of the asset or of some rows */
export const getPartitionCounts = /* @__PURE__ */ operation<{ row?: string; id?: string | readonly (string)[]; key: string }, PartitionCounts>('getPartitionCounts', 'GET', '/api/v1/assets/{key}/partitions/counts', ['row', 'id']);

/** Rows (ids of the first dimension) with their totals */
export const listPartitionRows = /* @__PURE__ */ operation<{ sort?: "name" | "failed" | "active" | "lag"; q?: string; limit?: number; after?: string; key: string }, { readonly items: readonly (PartitionRow)[]; readonly next: string | null }>('listPartitionRows', 'GET', '/api/v1/assets/{key}/partitions/rows', ['sort', 'q', 'limit', 'after']);

/** States of a rectangle of rows × columns, one byte a cell */
export const readPartitionTile = /* @__PURE__ */ operation<{ key: string; body: { readonly rows: readonly (string)[]; /** First column. */
readonly from: number; /** Last column, included. */
readonly to: number; /** Columns a cell; it shows the worst of them. */
readonly step?: number; /** First column of each cell, ascending from `from`, such as those of months; instead of a step. */
readonly starts?: readonly (number)[]; readonly format?: "binary" | "base64" } }, { readonly rows: number; readonly width: number; /** Base64, one byte a cell. */
readonly cells: string }>('readPartitionTile', 'POST', '/api/v1/assets/{key}/partitions/tiles', []);

/** Partitions by status, id and days */
export const searchPartitions = /* @__PURE__ */ operation<{ row?: string; id?: string | readonly (string)[]; from?: string; to?: string; status?: "missing" | "materialized" | "failed" | "skipped" | "queued" | "running" | "cancelling" | readonly ("missing" | "materialized" | "failed" | "skipped" | "queued" | "running" | "cancelling")[]; limit?: number; after?: string; key: string }, { readonly items: readonly (Partition)[]; readonly next: string | null }>('searchPartitions', 'GET', '/api/v1/assets/{key}/partitions/search', ['row', 'id', 'from', 'to', 'status', 'limit', 'after']);

/** One partition: its state, its last run and what that run recorded */
export const getPartition = /* @__PURE__ */ operation<{ partition: string; key: string }, PartitionCard>('getPartition', 'GET', '/api/v1/assets/{key}/partition', ['partition']);

/** A number of each partition of a rectangle, of its last run */
export const readPartitionValues = /* @__PURE__ */ operation<{ key: string; body: { readonly rows: readonly (string)[]; /** First column. */
readonly from: number; /** Last column, included. */
readonly to: number; /** `duration_ms`; `lag_ms`: from the end of the window until it was made; `age_ms`: since its last run ended; `tries`: runs that it took, with the unsuccessful ones; or the name of a number that the job records. */
readonly of: string } }, { /** Index of the row in the request, column, value. */
readonly cells: readonly (readonly (number)[])[]; /** Numbers that these partitions have recorded. */
readonly names: readonly (string)[] }>('readPartitionValues', 'POST', '/api/v1/assets/{key}/partitions/values', []);

/** Say that partitions are made, or need not be */
export const markPartitions = /* @__PURE__ */ operation<{ key: string; body: { readonly as: "materialized" | "skipped"; /** Keys, or ranges such as `1..5_2024-01-01..2024-01-31`. */
readonly partitions?: readonly (string)[]; /** Every partition of this row. */
readonly row?: string; /** Every partition of these: ids, or ranges of them such as `1..50`. */
readonly ids?: readonly (string)[]; readonly reason: string; /** Only counts what would change. */
readonly preview?: boolean } }, Marked>('markPartitions', 'POST', '/api/v1/assets/{key}/partitions/mark', []);

/** Forget what partitions ended as, and their last runs */
export const forgetPartitions = /* @__PURE__ */ operation<{ key: string; body: { /** Keys, or ranges such as `1..5_2024-01-01..2024-01-31`. */
readonly partitions?: readonly (string)[]; /** Every partition of this row. */
readonly row?: string; /** Every partition of these: ids, or ranges of them such as `1..50`. */
readonly ids?: readonly (string)[]; readonly reason: string; /** Only counts what would change. */
readonly preview?: boolean } }, Marked>('forgetPartitions', 'POST', '/api/v1/assets/{key}/partitions/forget', []);

/** Launch a run */
export const launchRun = /* @__PURE__ */ operation<{ body: LaunchRequestInput }, { readonly run_id: string; readonly is_new: boolean }>('launchRun', 'POST', '/api/v1/launch', []);

/** What a launch would be, and what is wrong with it; changes nothing */
export const checkLaunch = /* @__PURE__ */ operation<{ body: LaunchRequestInput }, LaunchCheck>('checkLaunch', 'POST', '/api/v1/launch/check', []);

/** How many runs a query matches; by an index where one tells, else counted one by one */
export const countMatchingRuns = /* @__PURE__ */ operation<{ q?: string }, MatchingRuns>('countMatchingRuns', 'GET', '/api/v1/runs/count', ['q']);

/** Cancel the runs that a query matches, a page a call */
export const cancelRuns = /* @__PURE__ */ operation<{ body: { readonly q: string; /** `as_of` of the count: what came later is left alone. */
readonly before: string; readonly after?: string; readonly limit?: number; readonly reason: string } }, BulkStep>('cancelRuns', 'POST', '/api/v1/runs/cancel', []);

/** Launch the runs that a query matches again, a page a call */
export const retryRuns = /* @__PURE__ */ operation<{ body: { readonly q: string; /** `as_of` of the count: what came later is left alone. */
readonly before: string; readonly after?: string; readonly limit?: number; readonly reason: string; readonly only_failed?: boolean } }, BulkStep>('retryRuns', 'POST', '/api/v1/runs/retry', []);

/** The runs that a query matches by job, cause or error, most frequent first */
export const groupRuns = /* @__PURE__ */ operation<{ q?: string; by: "job" | "cause" | "error" }, { readonly counted: number; /** False when there are more than were counted (10000 at most). */
readonly exact: boolean; /** The 200 most frequent. */
readonly items: readonly (RunGroup)[] }>('groupRuns', 'GET', '/api/v1/runs/groups', ['q', 'by']);

/** Runs, newest first */
export const listRuns = /* @__PURE__ */ operation<{ job?: string; status?: string; tag?: string | readonly (string)[]; partition?: string; cause?: string; q?: string; limit?: number; after?: string }, { readonly items: readonly (Run)[]; readonly next: string | null; /** How many there are in all, where an index tells. */
readonly total: number | null }>('listRuns', 'GET', '/api/v1/runs', ['job', 'status', 'tag', 'partition', 'cause', 'q', 'limit', 'after']);

/** A run with its config, result and first partitions */
export const getRun = /* @__PURE__ */ operation<{ id: string }, RunWithPartitions>('getRun', 'GET', '/api/v1/runs/{id}', []);

/** The partitions of a run with their outcomes */
export const listRunPartitions = /* @__PURE__ */ operation<{ outcome?: "materialized" | "failed" | "skipped" | "open"; limit?: number; after?: string; id: string }, { readonly items: readonly (RunPartition)[]; readonly next: string | null }>('listRunPartitions', 'GET', '/api/v1/runs/{id}/partitions', ['outcome', 'limit', 'after']);

/** What happened in a run, oldest first */
export const listRunEvents = /* @__PURE__ */ operation<{ limit?: number; after?: string; id: string }, { readonly items: readonly (RunEvent)[]; readonly next: string | null }>('listRunEvents', 'GET', '/api/v1/runs/{id}/events', ['limit', 'after']);

/** Ask a run to stop */
export const cancelRun = /* @__PURE__ */ operation<{ id: string; body?: { readonly reason?: string } | null }, { readonly status: RunStatus }>('cancelRun', 'POST', '/api/v1/runs/{id}/cancel', []);

/** Launch the same run again: whole, for the partitions that failed, or from where it failed */
export const retryRun = /* @__PURE__ */ operation<{ id: string; body?: { /** Only the partitions that failed, all their steps. */
readonly only_failed?: boolean; /** What failed and what was not reached; steps that succeeded are taken over from this run. */
readonly from_failure?: boolean; readonly reason?: string } | null }, { readonly run_id: string; readonly partitions: number; /** Steps of partitions that were taken over. */
readonly carried: number }>('retryRun', 'POST', '/api/v1/runs/{id}/retry', []);

/** Log lines, oldest first: after an id, or the last ones */
export const readRunLog = /* @__PURE__ */ operation<{ limit?: number; after?: string; tail?: number; level?: "debug" | "info" | "warn" | "error"; attempt?: string; q?: string; regex?: string; id: string }, { readonly items: readonly (LogLine)[]; readonly next: string | null }>('readRunLog', 'GET', '/api/v1/runs/{id}/log', ['limit', 'after', 'tail', 'level', 'attempt', 'q', 'regex']);

/** Lines of the whole log that hold a text or match a regular expression, and where they stand */
export const findInRunLog = /* @__PURE__ */ operation<{ level?: "debug" | "info" | "warn" | "error"; attempt?: string; q?: string; regex?: string; limit?: number; after?: string; id: string }, { readonly hits: number; /** Lines looked at. */
readonly lines: number; readonly items: readonly ({ readonly id: string; readonly at: string; readonly level: string; readonly message: string; readonly fields: { readonly [key: string]: unknown }; /** `<run>.<step>.<unit>.<number>` */
readonly attempt: string; /** 1-based, of the lines looked at. */
readonly line: number })[]; /** The lines looked at in stretches of a thousand: the last one’s id, and how many are hits. */
readonly stretches: readonly ({ readonly last: string; readonly lines: number; readonly hits: number })[]; /** `after` of the next call; null when the whole log was looked at. */
readonly next: string | null }>('findInRunLog', 'GET', '/api/v1/runs/{id}/log/find', ['level', 'attempt', 'q', 'regex', 'limit', 'after']);

/** Log lines before one, after one, around one, or the last ones */
export const readLogWindow = /* @__PURE__ */ operation<{ limit?: number; before?: string; after?: string; around?: string; start?: string; level?: "debug" | "info" | "warn" | "error"; attempt?: string; q?: string; regex?: string; id: string }, LogWindow>('readLogWindow', 'GET', '/api/v1/runs/{id}/log/window', ['limit', 'before', 'after', 'around', 'start', 'level', 'attempt', 'q', 'regex']);

/** The log as a file: what the other ways to read it would give, as text or as a JSON line each */
export const downloadRunLog = /* @__PURE__ */ operation<{ level?: "debug" | "info" | "warn" | "error"; attempt?: string; q?: string; regex?: string; format?: "text" | "jsonl"; id: string }, unknown>('downloadRunLog', 'GET', '/api/v1/runs/{id}/log/file', ['level', 'attempt', 'q', 'regex', 'format']);

/** Kinds of lines of a log: messages with what varies masked, and how often each came */
export const listLogTemplates = /* @__PURE__ */ operation<{ id: string }, LogTemplates>('listLogTemplates', 'GET', '/api/v1/runs/{id}/log/templates', []);

/** What caused a run, and what it waits for */
export const explainRun = /* @__PURE__ */ operation<{ id: string }, Why>('explainRun', 'GET', '/api/v1/runs/{id}/why', []);

/** All sensors with their switch, last tick and next one */
export const listSensors = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (Sensor)[]; readonly next: string | null }>('listSensors', 'GET', '/api/v1/sensors', ['limit', 'after']);

/** A sensor with its cursor and the JSON schema of it; the ETag is the version of its switch */
export const getSensor = /* @__PURE__ */ operation<{ name: string }, SensorDetail>('getSensor', 'GET', '/api/v1/sensors/{name}', []);

/** Turn a sensor on */
export const startSensor = /* @__PURE__ */ operation<{ name: string; body?: { readonly reason?: string } | null; ifMatch?: string }, { readonly status: SensorStatus; readonly before: SensorStatus; /** Also the ETag; send it back as If-Match. */
readonly version: number }>('startSensor', 'POST', '/api/v1/sensors/{name}/start', []);

/** Turn a sensor off; its tick under way launches nothing more */
export const stopSensor = /* @__PURE__ */ operation<{ name: string; body?: { readonly reason?: string } | null; ifMatch?: string }, { readonly status: SensorStatus; readonly before: SensorStatus; /** Also the ETag; send it back as If-Match. */
readonly version: number }>('stopSensor', 'POST', '/api/v1/sensors/{name}/stop', []);

/** Evaluate now, also when stopped; a worker does it */
export const evaluateSensor = /* @__PURE__ */ operation<{ name: string }, { readonly tick: string }>('evaluateSensor', 'POST', '/api/v1/sensors/{name}/evaluate', []);

/** What the next ticks would do, from the stored or a given cursor; changes nothing */
export const previewSensor = /* @__PURE__ */ operation<{ name: string; body: { readonly cursor?: unknown; readonly ticks?: number; /** As after a reset or a restore: run keys begin anew. */
readonly as_reset?: boolean } }, { readonly ticks: readonly (PreviewTick)[]; readonly requests_total: number; /** Of those that are shown. */
readonly suppressed_total: number; /** Only the first 5000 requests are shown. */
readonly cut: boolean }>('previewSensor', 'POST', '/api/v1/sensors/{name}/preview', []);

/** Ticks, newest first */
export const listTicks = /* @__PURE__ */ operation<{ limit?: number; after?: string; decision?: "running" | "requested" | "suppressed" | "acted" | "skipped" | "failed" | "timed_out"; from?: string; to?: string; name: string }, { readonly items: readonly (Tick)[]; readonly next: string | null }>('listTicks', 'GET', '/api/v1/sensors/{name}/ticks', ['limit', 'after', 'decision', 'from', 'to']);

/** Every tick that is kept, oldest first, as little of each as a timeline draws */
export const getTickTimeline = /* @__PURE__ */ operation<{ name: string }, { readonly items: readonly (TickMark)[] }>('getTickTimeline', 'GET', '/api/v1/sensors/{name}/timeline', []);

/** One tick */
export const getTick = /* @__PURE__ */ operation<{ name: string; tick: string }, Tick>('getTick', 'GET', '/api/v1/sensors/{name}/ticks/{tick}', []);

/** The cursor; its version is also the ETag */
export const getCursor = /* @__PURE__ */ operation<{ name: string }, Cursor>('getCursor', 'GET', '/api/v1/sensors/{name}/cursor', []);

/** Set the cursor, on top of the version that If-Match (or if_version) names */
export const setCursor = /* @__PURE__ */ operation<{ name: string; body: { readonly cursor: unknown; readonly reason: string; readonly if_version?: number }; ifMatch?: string }, Cursor>('setCursor', 'PUT', '/api/v1/sensors/{name}/cursor', []);

/** Every change of the cursor, by ticks and people, newest first */
export const listCursorHistory = /* @__PURE__ */ operation<{ limit?: number; after?: string; name: string }, { readonly items: readonly (CursorChange)[]; readonly next: string | null }>('listCursorHistory', 'GET', '/api/v1/sensors/{name}/cursor/history', ['limit', 'after']);

/** Back to the initial cursor, or to a given one, and run keys start over */
export const resetCursor = /* @__PURE__ */ operation<{ name: string; body: { readonly reason: string; /** Where to start over from; default: the initial cursor. */
readonly cursor?: unknown; readonly if_version?: number }; ifMatch?: string }, Cursor>('resetCursor', 'POST', '/api/v1/sensors/{name}/cursor/reset', []);

/** Set the cursor and launch what the sensor asks for with it: both, or neither */
export const applyCursor = /* @__PURE__ */ operation<{ name: string; body: { readonly cursor: unknown; readonly reason: string; readonly if_version: number } }, { readonly cursor: unknown; /** Also the ETag; send it back as If-Match. */
readonly version: number; /** Grows with each reset or restore; older run keys no longer suppress. */
readonly generation: number; readonly tick: Tick }>('applyCursor', 'POST', '/api/v1/sensors/{name}/apply', []);

/** Back to how the cursor was after a version, or before the newest change */
export const restoreCursor = /* @__PURE__ */ operation<{ name: string; body: { readonly reason: string; readonly version?: number; readonly if_version?: number }; ifMatch?: string }, Cursor>('restoreCursor', 'POST', '/api/v1/sensors/{name}/cursor/restore', []);

/** All schedules */
export const listSchedules = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (Schedule)[]; readonly next: string | null }>('listSchedules', 'GET', '/api/v1/schedules', ['limit', 'after']);

/** A schedule; the ETag is the version of its switch */
export const getSchedule = /* @__PURE__ */ operation<{ name: string }, Schedule>('getSchedule', 'GET', '/api/v1/schedules/{name}', []);

/** Turn a schedule on */
export const startSchedule = /* @__PURE__ */ operation<{ name: string; body?: { readonly reason?: string } | null; ifMatch?: string }, { readonly status: SensorStatus; readonly before: SensorStatus; /** Also the ETag; send it back as If-Match. */
readonly version: number }>('startSchedule', 'POST', '/api/v1/schedules/{name}/start', []);

/** Turn a schedule off */
export const stopSchedule = /* @__PURE__ */ operation<{ name: string; body?: { readonly reason?: string } | null; ifMatch?: string }, { readonly status: SensorStatus; readonly before: SensorStatus; /** Also the ETag; send it back as If-Match. */
readonly version: number }>('stopSchedule', 'POST', '/api/v1/schedules/{name}/stop', []);

/** Ticks, newest first */
export const listScheduleTicks = /* @__PURE__ */ operation<{ limit?: number; after?: string; decision?: "running" | "requested" | "suppressed" | "acted" | "skipped" | "failed" | "timed_out"; from?: string; to?: string; name: string }, { readonly items: readonly (Tick)[]; readonly next: string | null }>('listScheduleTicks', 'GET', '/api/v1/schedules/{name}/ticks', ['limit', 'after', 'decision', 'from', 'to']);

/** All pools with their limits and use */
export const listPools = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (Pool)[]; readonly next: string | null }>('listPools', 'GET', '/api/v1/pools', ['limit', 'after']);

/** A pool; the version of what a person said about its limit is also the ETag */
export const getPool = /* @__PURE__ */ operation<{ name: string }, Pool>('getPool', 'GET', '/api/v1/pools/{name}', []);

/** Set the limit of a pool; 0 holds everything back */
export const setPool = /* @__PURE__ */ operation<{ name: string; body: { readonly limit: number; readonly reason?: string }; ifMatch?: string }, Pool>('setPool', 'PUT', '/api/v1/pools/{name}', []);

/** Back to the limit that the definitions give */
export const resetPool = /* @__PURE__ */ operation<{ reason?: string; name: string; ifMatch?: string }, Pool>('resetPool', 'DELETE', '/api/v1/pools/{name}', ['reason']);

/** Limits of runs at once, of jobs and of tags, with their use */
export const listRunLimits = /* @__PURE__ */ operation<Record<never, never>, { readonly items: readonly (RunLimit)[]; readonly next: string | null }>('listRunLimits', 'GET', '/api/v1/limits', []);

/** Backfills, newest first */
export const listBackfills = /* @__PURE__ */ operation<{ limit?: number; after?: string }, { readonly items: readonly (Backfill)[]; readonly next: string | null }>('listBackfills', 'GET', '/api/v1/backfills', ['limit', 'after']);

/** Start a backfill */
export const createBackfill = /* @__PURE__ */ operation<{ body: BackfillRequestInput }, Backfill>('createBackfill', 'POST', '/api/v1/backfills', []);

/** A backfill with its progress; the version of its status and limits is also the ETag */
export const getBackfill = /* @__PURE__ */ operation<{ id: string }, Backfill>('getBackfill', 'GET', '/api/v1/backfills/{id}', []);

/** Change how many runs it may have active, and the priority of those that it asks for from now on */
export const changeBackfill = /* @__PURE__ */ operation<{ id: string; body: { readonly max_active?: number; readonly priority?: number; readonly reason?: string }; ifMatch?: string }, Backfill>('changeBackfill', 'PATCH', '/api/v1/backfills/{id}', []);

/** How many runs of a backfill ended when, oldest first */
export const getBackfillPace = /* @__PURE__ */ operation<{ id: string }, { readonly items: readonly (BackfillPace)[] }>('getBackfillPace', 'GET', '/api/v1/backfills/{id}/pace', []);

/** Exactly which partitions a backfill would run; changes nothing */
export const planBackfill = /* @__PURE__ */ operation<{ body: BackfillRequestInput }, BackfillPlan>('planBackfill', 'POST', '/api/v1/backfills/plan', []);

/** Ask for no more runs; those that run go on */
export const pauseBackfill = /* @__PURE__ */ operation<{ id: string; body?: { readonly reason?: string } | null; ifMatch?: string }, Backfill>('pauseBackfill', 'POST', '/api/v1/backfills/{id}/pause', []);

/** Go on where it was paused */
export const resumeBackfill = /* @__PURE__ */ operation<{ id: string; body?: { readonly reason?: string } | null; ifMatch?: string }, Backfill>('resumeBackfill', 'POST', '/api/v1/backfills/{id}/resume', []);

/** Cancel what is queued and, unless told otherwise, what runs */
export const cancelBackfill = /* @__PURE__ */ operation<{ id: string; body?: { readonly running?: boolean; readonly reason?: string } | null; ifMatch?: string }, Backfill>('cancelBackfill', 'POST', '/api/v1/backfills/{id}/cancel', []);

/** A new backfill over the same partitions, for those in the given states */
export const retryBackfill = /* @__PURE__ */ operation<{ id: string; body: { readonly statuses?: readonly ("missing" | "materialized" | "failed" | "skipped")[]; readonly reason?: string } }, Backfill>('retryBackfill', 'POST', '/api/v1/backfills/{id}/retry', []);

/** One SELECT (DuckDB) over runs, run_partitions, ticks, events and partitions, live and past */
export const querySql = /* @__PURE__ */ operation<{ body: { readonly query: string; /** Runs of the ledger, newest first. */
readonly live?: number; readonly max_rows?: number } }, SqlAnswer>('querySql', 'POST', '/api/v1/sql', []);

/** Workers, Redis, queues */
export const getSystem = /* @__PURE__ */ operation<Record<never, never>, System>('getSystem', 'GET', '/api/v1/system', []);

/** Changes as they happen (server-sent events) */
export const streamEvents = /* @__PURE__ */ operation<{ last_event_id?: string }, unknown>('streamEvents', 'GET', '/api/v1/events', ['last_event_id']);
