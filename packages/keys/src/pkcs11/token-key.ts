import { Fault } from '@linkspan/protocol';
import type { Attribute, Cryptoki, Ulong } from './cryptoki.ts';

/** A private key that may be used: the session in which it was found, and its handle there. */
export type TokenKey = { readonly session: Ulong; readonly key: Ulong };

/** What is looked for: the token's label, and the key's label or `id:` and its CKA_ID in hexadecimal digits. */
export type KeyName = { readonly token: string; readonly key: string };

/**
 * Opens a session with the token, logs in and finds the elliptic-curve key. Throws a Fault: `configuration-invalid` where the token, the PIN or the key is not the
 * right one, `ledger-unavailable` where the token does not answer as it should.
 */
export async function openTokenKey(cryptoki: Cryptoki, name: KeyName, pin: string): Promise<TokenKey> {
  await cryptoki.initialize();
  const slot = await findSlot(cryptoki, name.token);
  const session = await cryptoki.openSession(slot);
  try {
    await cryptoki.login(session, pin);
    return { session, key: await findKey(cryptoki, session, name) };
  } catch (error) {
    await cryptoki.closeSession(session).catch(() => undefined);
    throw error;
  }
}

const CKF_USER_PIN_FINAL_TRY = 0x20000n;
const CKF_USER_PIN_LOCKED = 0x40000n;

async function findSlot(cryptoki: Cryptoki, token: string): Promise<Ulong> {
  const seen: string[] = [];
  const found: { readonly slot: Ulong; readonly flags: bigint }[] = [];
  for (const slot of await cryptoki.slots()) {
    // Of other slots nothing is wanted, so one that does not answer is none.
    const info = await cryptoki.tokenInfo(slot).catch(() => undefined);
    if (info === undefined) continue;
    seen.push(info.label);
    if (info.label === token) found.push({ slot, flags: info.flags });
  }
  const [first, second] = found;
  const there = seen.filter((label) => label !== '').join(', ') || 'none';
  if (!first) throw invalid(`The PKCS#11 module has no token ${token}; it has ${there}.`);
  if (second) throw invalid(`The PKCS#11 module has several tokens ${token}.`);
  if ((first.flags & CKF_USER_PIN_LOCKED) !== 0n) throw invalid(`The PIN of the token ${token} is locked.`);
  // A process that is started again and again must not be what locks it.
  if ((first.flags & CKF_USER_PIN_FINAL_TRY) !== 0n)
    throw invalid(`One more wrong PIN locks the token ${token}: log in by hand with the right one, then start again.`);
  return first.slot;
}

const [CKA_CLASS, CKA_LABEL, CKA_KEY_TYPE, CKA_ID] = [0x0, 0x3, 0x100, 0x102] as const;
const CKO_PRIVATE_KEY = 3n;
const CKK_EC = 3n;

async function findKey(cryptoki: Cryptoki, session: Ulong, { token, key }: KeyName): Promise<Ulong> {
  const named: Attribute = key.startsWith(BY_ID)
    ? { type: CKA_ID, value: Buffer.from(key.slice(BY_ID.length), 'hex') }
    : { type: CKA_LABEL, value: Buffer.from(key, 'utf8') };
  const template = [
    { type: CKA_CLASS, value: ulong(CKO_PRIVATE_KEY) },
    { type: CKA_KEY_TYPE, value: ulong(CKK_EC) },
    named,
  ];
  const [first, second] = await cryptoki.findObjects(session, template, 2);
  if (first === undefined) throw invalid(`The token ${token} has no private elliptic-curve key ${key}.`);
  if (second !== undefined) throw invalid(`The token ${token} has several private keys ${key}: name it by its id.`);
  return first;
}

const BY_ID = 'id:';

function ulong(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function invalid(message: string): Fault {
  return new Fault('configuration-invalid', message);
}
