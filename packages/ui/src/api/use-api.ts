/** Reading and acting: an operation of the client as a query or as an act, with the same cache keys everywhere. */

import {
  type QueryClient,
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

import { conflictOf } from './conflict.ts';
import { ApiError, type Operation } from './operation.ts';
import { notify } from '../app/notify.ts';

export interface ReadOptions {
  readonly enabled?: boolean;
  readonly refetchInterval?: number | false;
  /** Keep what the arguments before gave while the new answer is on its way. */
  readonly keep?: boolean;
}

export function useApi<Args extends object, Answer>(
  operation: Operation<Args, Answer>,
  args: Args,
  options: ReadOptions = {},
) {
  return useQuery({
    ...asQuery(operation, args),
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchInterval ?? false,
    ...(options.keep === true ? { placeholderData: keepPreviousData } : {}),
  });
}

/** A list that definitions bound, whole: its pages one after the other. */
export function useAll<Args extends object, Item, P extends Page<Item>>(
  operation: Operation<Args, P & Page<Item>>,
  args: Args,
  options: ReadOptions = {},
) {
  return useApi(everyPage(operation), args, options);
}

function everyPage<Args extends object, Item, P extends Page<Item>>(
  operation: Operation<Args, P & Page<Item>>,
): Operation<Args, P & Page<Item>> {
  const call = async (args: Args, signal?: AbortSignal) => {
    const first = await operation(args, signal);
    const items = [...first.items];
    for (let { next } = first; next !== null;) {
      const page = await operation({ ...args, after: next }, signal);
      items.push(...page.items);
      next = page.next;
    }
    return { ...first, items, next: null };
  };
  return Object.assign(call, { id: operation.id });
}

/** What the cache knows an operation with its arguments by. */
export function asQuery<Args extends object, Answer>(operation: Operation<Args, Answer>, args: Args) {
  return {
    queryKey: [operation.id, args],
    queryFn: ({ signal }: { signal: AbortSignal }) => operation(args, signal),
  };
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** A keyset-paged list: pages in order, and how to get the next one. */
export function usePages<Args extends object, Item, P extends Page<Item>>(
  operation: Operation<Args, P & Page<Item>>,
  args: Args,
) {
  const query = useInfiniteQuery({
    ...pagesOf(operation, args),
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  return { ...query, items: query.data?.pages.flatMap((page) => page.items) ?? [], first: query.data?.pages[0] };
}

function pagesOf<Args extends object, Answer>(operation: Operation<Args, Answer>, args: Args) {
  return {
    queryKey: [operation.id, args, 'pages'],
    queryFn: ({ pageParam, signal }: { pageParam: string | undefined; signal: AbortSignal }) =>
      operation(pageParam === undefined ? args : { ...args, after: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
  };
}

/** Asks for the first page of a list before whoever shows it is drawn. */
export function prefetchPages<Args extends object, Answer>(
  cache: QueryClient,
  operation: Operation<Args, Answer>,
  args: Args,
): void {
  void cache.prefetchInfiniteQuery(pagesOf(operation, args));
}

/** An act shows the server's answer, then everything on the page is read anew. */
export function useAct<Args extends object, Answer>(
  operation: Operation<Args, Answer>,
  said: (answer: Answer, args: Args) => string | undefined,
) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (args: Args) => operation(args),
    onSuccess: (answer, args) => {
      const text = said(answer, args);
      if (text !== undefined) notify('good', text);
      void cache.invalidateQueries();
    },
    // What it was decided by is not what is there any more.
    onError: (error) => {
      if (conflictOf(error)) void cache.invalidateQueries();
    },
  });
}

/** For acts without a place of their own for errors. */
export function tellProblem(error: unknown): void {
  const text = error instanceof ApiError ? error.problem.detail : String(error);
  notify('bad', text, error instanceof ApiError ? error.problem.request_id : undefined);
}
