/** A JSON value. Numbers are integers up to 2^53-1 wherever a value is hashed or signed. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };
