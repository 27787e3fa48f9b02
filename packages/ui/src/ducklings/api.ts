/** The routes of the duckling family. They come from the deployment, so they stand in no generated client. */

import { operation } from '../api/operation.ts';

export interface Duckling {
  readonly team_id: number;
  readonly enabled: boolean;
  readonly bucket: string;
  readonly bucket_region: string;
  readonly db_host: string;
  readonly db_name: string;
  readonly cross_account_role_arn: string | null;
}

export interface Lake {
  readonly state: 'ready' | 'new';
  readonly snapshot: { readonly id: number; readonly at: string; readonly message: string | null } | null;
  readonly tables: readonly {
    readonly name: string;
    readonly files: number;
    readonly rows: number;
    readonly bytes: number;
  }[];
  readonly replaced: { readonly files: number; readonly bytes: number };
  readonly scheduled_for_deletion: number;
}

interface Shown extends Duckling {
  readonly lake: Lake | null;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

interface Checked {
  readonly ok: boolean;
  readonly steps: readonly { readonly step: string; readonly outcome: string; readonly detail: string }[];
}

interface Orphans {
  readonly older_than: string;
  readonly count: number;
  readonly bytes: number;
}

interface Reset {
  readonly tables_dropped: readonly string[] | number;
  readonly partitions_forgotten: number;
}

const ALL = '/api/v1/ducklings';
const ONE = `${ALL}/{team_id}`;

export const listDucklings = operation<object, { readonly items: readonly Duckling[] }>(
  'listDucklings',
  'GET',
  ALL,
  [],
);
export const getDuckling = operation<{ team_id: number }, Shown>('getDuckling', 'GET', ONE, []);
export const changeDuckling = operation<{ team_id: number; body: { enabled: boolean } }, Duckling>(
  'changeDuckling',
  'PATCH',
  ONE,
  [],
);
export const checkDuckling = operation<{ team_id: number }, Checked>('checkDuckling', 'POST', `${ONE}/check`, []);
export const findOrphans = operation<{ team_id: number }, Orphans>('findOrphans', 'GET', `${ONE}/orphans`, []);
export const resetLake = operation<{ team_id: number; confirm: string }, Reset>('resetLake', 'DELETE', `${ONE}/lake`, [
  'confirm',
]);
