import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readRawEventsSettings } from '@skein/jobs';

const dir = mkdtempSync(join(tmpdir(), 'raw-events-settings-'));
afterAll(() => rmSync(dir, { recursive: true }));

function file(text: string): string {
  const path = join(dir, 'config.yaml');
  writeFileSync(path, text);
  return path;
}

test('defaults', () => {
  expect(readRawEventsSettings({})).toEqual({
    enabled: true,
    output_topic: 'prod_events_v4',
    dead_letter_topic: null,
    database: null,
    events_table: 'usage_events',
    max_message_bytes: 1_000_000,
    tenant_id: null,
    environment_id: null,
    debug: false,
  });
});

test('a file in the layout of the original, among other sections', () => {
  const path = file(`# comment
deployment:
  mode: "local"
kafka:
  brokers:
    - localhost:29092
raw_events_reprocessing:
  enabled: false   # off for now
  output_topic: "other_events"
  database: 'flexprice'
billing:
  tenant_id: t9
  environment_id:
logging: { level: info }
`);
  expect(readRawEventsSettings({ SKEIN_RAW_EVENTS_CONFIG: path })).toMatchObject({
    enabled: false,
    output_topic: 'other_events',
    database: 'flexprice',
    tenant_id: 't9',
    environment_id: null,
  });
});

test('the environment beats the file; an empty variable does not', () => {
  const path = file('raw_events_reprocessing:\n  enabled: false\n  output_topic: from_file\n');
  const env = {
    SKEIN_RAW_EVENTS_CONFIG: path,
    FLEXPRICE_RAW_EVENTS_REPROCESSING_ENABLED: 'true',
    FLEXPRICE_RAW_EVENTS_REPROCESSING_OUTPUT_TOPIC: '',
    SKEIN_LOG_LEVEL: 'debug',
  };
  expect(readRawEventsSettings(env)).toMatchObject({ enabled: true, output_topic: 'from_file', debug: true });
});

test('every wrong value is named where it stands', () => {
  const path = file('raw_events_reprocessing:\n  output_topic: "a topic"\n');
  const read = () =>
    readRawEventsSettings({
      SKEIN_RAW_EVENTS_CONFIG: path,
      FLEXPRICE_RAW_EVENTS_REPROCESSING_ENABLED: 'maybe',
      FLEXPRICE_RAW_EVENTS_REPROCESSING_DATABASE: 'a; DROP',
    });
  expect(read).toThrow(/FLEXPRICE_RAW_EVENTS_REPROCESSING_ENABLED must be true or false/);
  expect(read).toThrow(/raw_events_reprocessing.output_topic in .*config.yaml must be a Kafka topic name/);
  expect(read).toThrow(/FLEXPRICE_RAW_EVENTS_REPROCESSING_DATABASE must be a name/);
  expect(() => readRawEventsSettings({ SKEIN_RAW_EVENTS_CONFIG: join(dir, 'none.yaml') })).toThrow(/cannot be read/);
});
