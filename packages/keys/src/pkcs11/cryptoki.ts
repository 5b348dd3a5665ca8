import { Fault } from '@linkspan/protocol';
import type { KoffiFunc, LibraryHandle } from 'koffi';
import { CKR, ReturnFault } from './return-values.ts';

/** A CK_ULONG: handles may need all of its 64 bits. */
export type Ulong = number | bigint;
/** A CK_ATTRIBUTE. */
export type Attribute = { readonly type: number; readonly value: Buffer };

/**
 * The functions of a PKCS#11 module that signing takes, under the names of the specification. Each runs on a thread of libuv's pool, since a token may
 * take milliseconds and an unreachable one seconds; nobody may call a second one before the first has ended. Throws a Fault for any other answer than
 * CKR_OK: `configuration-invalid` where waiting does not help, else `ledger-unavailable`.
 */
export type Cryptoki = {
  /** Does nothing where this process has initialised the module already. */
  initialize(): Promise<void>;
  finalize(): Promise<void>;
  /** Slots with a token in them. */
  slots(): Promise<readonly Ulong[]>;
  tokenInfo(slot: Ulong): Promise<TokenInfo>;
  openSession(slot: Ulong): Promise<Ulong>;
  closeSession(session: Ulong): Promise<void>;
  closeAllSessions(slot: Ulong): Promise<void>;
  /** As the user. Does nothing where this process is logged in already. */
  login(session: Ulong, pin: string): Promise<void>;
  /** So many at most. */
  findObjects(session: Ulong, template: readonly Attribute[], most: number): Promise<readonly Ulong[]>;
  /** `r` and `s` of an ECDSA signature over the digest. */
  signDigest(session: Ulong, key: Ulong, digest: Uint8Array): Promise<Uint8Array>;
};

export type TokenInfo = { readonly label: string; readonly flags: bigint };

/** Loads a module, and with it native code: whoever has no token never comes here. */
export async function loadCryptoki(path: string): Promise<Cryptoki> {
  // There structures are packed otherwise, and `unsigned long` is half as long.
  if (process.platform === 'win32')
    throw new Fault('configuration-invalid', 'PKCS#11 modules are not used on Windows.');
  const functions = await functionList(path);
  async function call(
    name: keyof typeof FUNCTIONS,
    args: readonly unknown[],
    fine: readonly number[] = [],
  ): Promise<void> {
    const value = await functions[name](args);
    if (value !== CKR.OK && !fine.includes(value)) throw new ReturnFault(name, value);
  }
  return {
    initialize: () => call('C_Initialize', [initializeArguments()], [CKR.CRYPTOKI_ALREADY_INITIALIZED]),
    finalize: () => call('C_Finalize', [null]),
    async slots() {
      const count = ulongs(1);
      await call('C_GetSlotList', [1, null, count]);
      const list = ulongs(Number(count.readBigUInt64LE()));
      await call('C_GetSlotList', [1, list, count]);
      return readUlongs(list, count);
    },
    async tokenInfo(slot) {
      const info = Buffer.alloc(TOKEN_INFO.bytes);
      await call('C_GetTokenInfo', [slot, info]);
      const label = info.toString('utf8', 0, TOKEN_INFO.labelBytes).replace(/[ \0]+$/, '');
      return { label, flags: info.readBigUInt64LE(TOKEN_INFO.flagsAt) };
    },
    async openSession(slot) {
      const session = ulongs(1);
      await call('C_OpenSession', [slot, CKF_SERIAL_SESSION, null, null, session]);
      return session.readBigUInt64LE();
    },
    closeSession: (session) => call('C_CloseSession', [session]),
    closeAllSessions: (slot) => call('C_CloseAllSessions', [slot]),
    async login(session, pin) {
      const bytes = Buffer.from(pin, 'utf8');
      try {
        await call('C_Login', [session, CKU_USER, bytes, bytes.length], [CKR.USER_ALREADY_LOGGED_IN]);
      } finally {
        bytes.fill(0);
      }
    },
    async findObjects(session, template, most) {
      const attributes = template.map(({ type, value }) => ({ type, pValue: value, ulValueLen: value.length }));
      await call('C_FindObjectsInit', [session, attributes, attributes.length]);
      const [found, count] = [ulongs(most), ulongs(1)];
      await call('C_FindObjects', [session, found, most, count]);
      await call('C_FindObjectsFinal', [session]);
      return readUlongs(found, count);
    },
    async signDigest(session, key, digest) {
      await call('C_SignInit', [session, { mechanism: CKM_ECDSA, pParameter: null, ulParameterLen: 0 }, key]);
      const [signature, length] = [Buffer.alloc(SIGNATURE_BYTES), ulongs(1)];
      length.writeBigUInt64LE(BigInt(SIGNATURE_BYTES));
      await call('C_Sign', [session, digest, digest.length, signature, length]);
      return signature.subarray(0, Number(length.readBigUInt64LE()));
    },
  };
}

const CKF_SERIAL_SESSION = 0x4;
const CKF_OS_LOCKING_OK = 0x2n;
const CKU_USER = 1;
const CKM_ECDSA = 0x1041;
/** CK_TOKEN_INFO: label, manufacturer, model and serial number, flags, ten numbers, two versions and a time. */
const TOKEN_INFO = { labelBytes: 32, flagsAt: 96, bytes: 208 } as const;
/** More than any curve's. */
const SIGNATURE_BYTES = 256;
const POINTER_BYTES = 8;

/** Where each function stands in CK_FUNCTION_LIST, counted from the first after the version, and what it takes. */
const FUNCTIONS = {
  C_Initialize: [0, ['void *']],
  C_Finalize: [1, ['void *']],
  C_GetSlotList: [4, ['uint8_t', 'void *', 'void *']],
  C_GetTokenInfo: [6, ['ulong', 'void *']],
  C_OpenSession: [12, ['ulong', 'ulong', 'void *', 'void *', 'void *']],
  C_CloseSession: [13, ['ulong']],
  C_CloseAllSessions: [14, ['ulong']],
  C_Login: [18, ['ulong', 'ulong', 'void *', 'ulong']],
  C_FindObjectsInit: [26, ['ulong', 'attributes', 'ulong']],
  C_FindObjects: [27, ['ulong', 'void *', 'ulong', 'void *']],
  C_FindObjectsFinal: [28, ['ulong']],
  C_SignInit: [42, ['ulong', 'mechanism', 'ulong']],
  C_Sign: [43, ['ulong', 'void *', 'ulong', 'void *', 'void *']],
} as const;

/** Functions of a list do not keep the library that they are in, which would be unloaded below them. */
const loaded = new Set<LibraryHandle>();

type Native = (args: readonly unknown[]) => Promise<number>;

/** A module need not export more than the function that gives the list of all others, and some export no more. */
async function functionList(path: string): Promise<Readonly<Record<keyof typeof FUNCTIONS, Native>>> {
  const { default: koffi } = await import('koffi');
  const list: unknown[] = [null];
  try {
    const library = koffi.load(path);
    loaded.add(library);
    const getFunctionList = library.func('C_GetFunctionList', 'ulong', [koffi.out('void **')]);
    const value: unknown = getFunctionList(list);
    if (value !== CKR.OK) throw new TypeError(`C_GetFunctionList returned ${String(value)}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown';
    throw new Fault('configuration-invalid', `${path} cannot be used as a PKCS#11 module (${why}).`, { cause });
  }
  const attribute = koffi.struct({ type: 'ulong', pValue: 'void *', ulValueLen: 'ulong' });
  const mechanism = koffi.struct({ mechanism: 'ulong', pParameter: 'void *', ulParameterLen: 'ulong' });
  const composite = { attributes: koffi.pointer(attribute), mechanism: koffi.pointer(mechanism) } as const;
  const native = (name: keyof typeof FUNCTIONS): Native => {
    const [place, types] = FUNCTIONS[name];
    const proto = koffi.proto(
      'ulong',
      types.map((type) => (type === 'attributes' || type === 'mechanism' ? composite[type] : type)),
    );
    const address: unknown = koffi.decode(list[0], (1 + place) * POINTER_BYTES, 'void *');
    const target: KoffiFunc<(...args: unknown[]) => number> = koffi.decode(address, proto);
    return (args) => inBackground(target, args);
  };
  return {
    C_Initialize: native('C_Initialize'),
    C_Finalize: native('C_Finalize'),
    C_GetSlotList: native('C_GetSlotList'),
    C_GetTokenInfo: native('C_GetTokenInfo'),
    C_OpenSession: native('C_OpenSession'),
    C_CloseSession: native('C_CloseSession'),
    C_CloseAllSessions: native('C_CloseAllSessions'),
    C_Login: native('C_Login'),
    C_FindObjectsInit: native('C_FindObjectsInit'),
    C_FindObjects: native('C_FindObjects'),
    C_FindObjectsFinal: native('C_FindObjectsFinal'),
    C_SignInit: native('C_SignInit'),
    C_Sign: native('C_Sign'),
  };
}

/** Arguments of calls that have not returned: the module has their addresses, which the garbage collector does not know of. */
const underWay = new Set<readonly unknown[]>();

function inBackground(target: KoffiFunc<(...args: unknown[]) => number>, args: readonly unknown[]): Promise<number> {
  underWay.add(args);
  return new Promise((resolve, reject) => {
    target.async(...args, (error: unknown, value: number) => {
      underWay.delete(args);
      if (error === null || error === undefined) resolve(value);
      else reject(error instanceof Error ? error : new Error('koffi could not make the call.', { cause: error }));
    });
  });
}

/** CK_C_INITIALIZE_ARGS: no functions for locking, since those of the system do. */
function initializeArguments(): Buffer {
  const args = Buffer.alloc(6 * POINTER_BYTES);
  args.writeBigUInt64LE(CKF_OS_LOCKING_OK, 4 * POINTER_BYTES);
  return args;
}

function ulongs(count: number): Buffer {
  return Buffer.alloc(count * POINTER_BYTES);
}

function readUlongs(list: Buffer, count: Buffer): readonly Ulong[] {
  return Array.from({ length: Number(count.readBigUInt64LE()) }, (_, i) => list.readBigUInt64LE(i * POINTER_BYTES));
}
