/** Short words about what an act came to; polite, gone by themselves unless they tell of a failure. */

import { notifications } from '@mantine/notifications';

const SHOWN_MS = 5_000;

export function notify(tone: 'good' | 'bad', text: string, requestId?: string): void {
  notifications.show({
    message: requestId === undefined || requestId === '' ? text : `${text} (request ${requestId})`,
    color: tone === 'good' ? 'teal' : 'red',
    title: tone === 'good' ? 'Done' : 'This failed',
    autoClose: tone === 'good' ? SHOWN_MS : false,
    withBorder: true,
  });
}
