/** JSON values as they travel between processes: what `JSON.parse` can give, and nothing else. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };
