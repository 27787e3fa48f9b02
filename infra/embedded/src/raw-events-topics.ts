/** What the consumers of reprocessed events and of their dead letters write, as raw-events-kafka.sql has it. */

import type { TopicTables } from './embedded-publisher.ts';

export const RAW_EVENT_TOPICS: TopicTables = {
  prod_events_v4: [
    {
      table: 'usage_events',
      row: (message) => ({
        id: message.id,
        tenant_id: message.tenant_id,
        external_customer_id: message.external_customer_id,
        environment_id: message.environment_id,
        event_name: message.event_name,
        customer_id: message.customer_id,
        source: message.source,
        timestamp: message.timestamp,
        properties: JSON.stringify(message.properties),
      }),
    },
  ],
  raw_events_dead_letters: [{ table: 'raw_events_dead_letters', row: (message) => message }],
};
