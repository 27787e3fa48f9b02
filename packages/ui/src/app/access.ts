/** Who is signed in and what they may do. The server decides; this only says so beforehand. */

import { getMe } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';

export interface Allowed {
  readonly allowed: boolean;
  readonly reason: string;
}

export function useAllowed(permission: string): Allowed {
  const me = useApi(getMe, {});
  return me.data?.permissions[permission] ?? { allowed: false, reason: 'Your permissions are still being read.' };
}
