/**
 * Active Days: on how many days an agent was active. A cell (agent, day) is `1` when the source has closed conversations
 * of the agent that started that day and some label of that day says that the agent assisted, `0` when only one of the
 * two is so, and `N/A` when there is neither. Labels are taken by their newest version, so that duplicates cannot count
 * twice; a conversation labelled with the wrong agent or usecase makes the wrong cell.
 */

import { type Statement, affectedRows } from './label-sql.ts';
import { type Place, namesOf } from './place.ts';

export type ActiveDay = '1' | '0' | 'N/A';

/** @param total closed eligible conversations of the source @param active conversations labelled with assistance; undefined: no row on that side */
export function activeDay(total: number | undefined, active: number | undefined): ActiveDay {
  if (total === undefined && active === undefined) return 'N/A';
  return (total ?? 0) > 0 && (active ?? 0) > 0 ? '1' : '0';
}

export interface ActiveDaysOptions {
  /** Count conversations of source 0 only. */
  readonly excludeIngestion: boolean;
  readonly usecase?: string;
}

export interface ActiveDaysCell {
  readonly agent: string;
  readonly day: string;
  /** `total`: closed in the source; `active`: by the labels; `expected`: active if the labels were as the source says. */
  readonly total: string;
  readonly active: string;
  readonly expected: string;
}

/** One row for each agent and day of which either side knows. Needs the operation's `expected` table. */
export function activeDaysCells(place: Place, options: ActiveDaysOptions): Statement {
  const names = namesOf(place);
  const rows = affectedRows(place);
  const usecase = options.usecase === undefined ? '' : ' AND usecase_id = {usecase:String}';
  const counted = options.excludeIngestion ? 'conversation_source = 0' : 'conversation_source IN (0, 8)';
  return {
    sql: `SELECT agent, toString(day) AS day, sum(t) AS total, sum(a) AS active, sum(e) AS expected FROM (
        SELECT agent_user_id AS agent, toDate(conversation_start_time) AS day,
          countIf(conversation_end_time > toDateTime64(0, 3, 'UTC') AND ${counted}) AS t, 0 AS a, countIf(has_agent_assistance) AS e
        FROM ${names.expected} WHERE agent != ''${usecase} GROUP BY agent, day
        UNION ALL
        SELECT agent, day, 0 AS t, count() AS a, 0 AS e FROM (
          SELECT newest.1 AS agent, newest.2 AS day, newest.3 AS assisted, newest.4 AS usecase_id FROM (
            SELECT argMax((agent_user_id, toDate(conversation_start_time), has_agent_assistance, toString(usecase_id)), update_time) AS newest
            FROM ${names.all} WHERE ${rows.sql} GROUP BY profile_id, conversation_id
          )
        ) WHERE assisted AND agent != ''${usecase} GROUP BY agent, day
      ) GROUP BY agent, day HAVING total + active + expected > 0 ORDER BY agent, day`,
    params: { ...rows.params, ...(options.usecase === undefined ? {} : { usecase: options.usecase }) },
  };
}

/** Active cells by the labels alone, before they are replaced. */
export function countActiveCells(place: Place): Statement {
  const rows = affectedRows(place);
  return {
    sql: `SELECT uniqExact(agent_user_id, toDate(conversation_start_time)) AS cells FROM ${namesOf(place).all}
      WHERE has_agent_assistance AND agent_user_id != '' AND ${rows.sql}`,
    params: rows.params,
  };
}
