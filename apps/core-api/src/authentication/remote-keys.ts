import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';

/**
 * The issuer's keys, fetched from its JWK set (RFC 7517) when first needed and again when they are old or a token names one that is not
 * among them. A fetch ends after three seconds and 256 KiB; while it fails, so does every check that needs it.
 */
export function createRemoteKeys(
  url: string,
  { cooldownMs = COOLDOWN_MS }: { readonly cooldownMs?: number } = {},
): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: cooldownMs,
    cacheMaxAge: OLD_AFTER_MS,
    [customFetch]: fetchLimited,
  });
}

const TIMEOUT_MS = 3_000;
/** A token that names an unknown key costs one fetch in this time, whoever sends how many. */
const COOLDOWN_MS = 10_000;
/** A key that the issuer took back is not accepted for longer. */
const OLD_AFTER_MS = 300_000;
const LARGEST_ANSWER_BYTES = 256 * 1024;

async function fetchLimited(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > LARGEST_ANSWER_BYTES) throw new RangeError('the key set is larger than 256 KiB');
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status });
}
