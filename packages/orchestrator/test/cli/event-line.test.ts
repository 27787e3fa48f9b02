import { eventLine } from '../../src/cli/follow-run.ts';

test('what a run’s code wrote is shown, and moves, clears or links nothing on the terminal', () => {
  const line = eventLine({
    id: '1-0',
    at: new Date('2024-01-15T19:30:05Z'),
    type: 'log',
    fields: {
      level: 'info',
      message: 'read\u001b[2J 1200 rows',
      fields: { link: '\u001b]8;;http://x\u0007', rows: 1200 },
    },
  });
  expect(line).toContain('19:30:05');
  expect(line).toContain('read\\u001b[2J 1200 rows');
  expect(line).toContain('\\u001b]8;;http://x\\u0007');
  expect(line.replace(/\u001b\[[0-9;]*m/g, '')).not.toContain('\u001b');
});
