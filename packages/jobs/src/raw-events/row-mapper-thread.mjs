// The entry of a thread: the flag that loads TypeScript in a process is not taken by threads, so it is done here.
import { register } from 'tsx/esm/api';

register();
await import('./row-mapper-thread.ts');
