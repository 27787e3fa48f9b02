/** Short words about what an act came to; polite, gone by themselves unless they tell of a failure. */

import { notifications } from '@mantine/notifications';

const SHOWN_MS = 5_000;
const LOOKS = {
  good: { color: 'teal', title: 'Done', autoClose: SHOWN_MS },
  warn: { color: 'yellow', title: 'Mind', autoClose: 3 * SHOWN_MS },
  bad: { color: 'red', title: 'This failed', autoClose: false },
} as const;

export function notify(tone: keyof typeof LOOKS, text: string, requestId?: string): void {
  notifications.show({
    message: requestId === undefined || requestId === '' ? text : `${text} (request ${requestId})`,
    ...LOOKS[tone],
    withBorder: true,
  });
}
