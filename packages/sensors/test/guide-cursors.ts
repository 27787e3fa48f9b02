/** The scheduler's cursors as the operators' guide has them. */

export const WINDOW = { bug_window_start: '2026-01-06 20:01:00', bug_window_end: '2026-01-07 14:52:00' };

/** As the guide has them, to the letter. */
export const GUIDE_CURSORS = {
  small: {
    team_ids: [123, 456, 789],
    ...WINDOW,
    team_ch_props_fetch_window_seconds: 0,
    dry_run: true,
    backup_enabled: true,
    batch_size: 100,
  },
  large: {
    team_ids: [2],
    ...WINDOW,
    team_ch_props_fetch_window_seconds: 3600,
    person_batch_size: 10000,
    dry_run: true,
    backup_enabled: true,
    batch_size: 100,
  },
  range: {
    range_start: 1,
    range_end: 100000,
    chunk_size: 1000,
    ...WINDOW,
    team_ch_props_fetch_window_seconds: 0,
    max_concurrent_jobs: 5,
    max_concurrent_tasks: 10,
    dry_run: false,
  },
  production: {
    team_ids: [2],
    ...WINDOW,
    team_ch_props_fetch_window_seconds: 3600,
    person_batch_size: 10000,
    dry_run: false,
    backup_enabled: true,
    batch_size: 100,
    teams_per_chunk: 1,
    max_concurrent_jobs: 1,
    max_concurrent_tasks: 1,
  },
};
