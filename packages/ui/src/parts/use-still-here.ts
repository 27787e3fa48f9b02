import { useLocation, useRouter } from '@tanstack/react-router';

/** Whether the page is still the one that people want: what is told late must not pull them back from the next one. */
export function useStillHere(): () => boolean {
  const router = useRouter();
  const shown = useLocation({ select: (location) => location.pathname });
  return () => router.latestLocation.pathname === shown;
}
