import { createHash, randomBytes, verify, X509Certificate } from 'node:crypto';
import { Fault, type Live } from '@linkspan/protocol';
import { lowSDer } from '../p256-signature.ts';
import { type Cryptoki, loadCryptoki } from './cryptoki.ts';
import { ReturnFault } from './return-values.ts';
import { type KeyName, openTokenKey, type TokenKey } from './token-key.ts';

export type Pkcs11SignerOptions = KeyName & {
  /** The module's file. */
  readonly module: string;
  readonly pin: Live<string>;
  /** The certificate of the key, in PEM. */
  readonly certificate: string;
  /** How long a signature may take before its Fault; 10 s unless given. */
  readonly patienceMs?: number;
};

/** Disposing closes the session. */
export type Pkcs11Signer = AsyncDisposable & {
  /**
   * SHA-256 and ECDSA in DER with the smaller `s`. Where the token does not sign, it is opened anew, once; where that does not help, throws a
   * Fault `ledger-unavailable`. The next signature tries again.
   */
  sign(message: Uint8Array): Promise<Uint8Array>;
};

const PATIENCE_MS = 10_000;

/**
 * Signs with a P-256 key that stays in a PKCS#11 token. Signatures are made one after the other, in one session, outside the main thread. Throws a
 * Fault, `configuration-invalid` where module, token, PIN and key do not fit together or the key is not the certificate's. One signer for each module and process.
 */
export async function openPkcs11Signer(options: Pkcs11SignerOptions): Promise<Pkcs11Signer> {
  const { publicKey } = new X509Certificate(options.certificate);
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw invalid('The client key for Fabric must be on the curve P-256.');
  const patienceMs = options.patienceMs ?? PATIENCE_MS;
  const signer = new TokenSigner(await loadCryptoki(options.module), options);
  const probe = randomBytes(32);
  const signature = await within(patienceMs, signer.first(probe));
  if (!verify('sha256', probe, publicKey, signature)) {
    await signer.close();
    throw invalid(`The key ${options.key} of the token is not that of the certificate.`);
  }
  return {
    sign: (message) => within(patienceMs, signer.sign(message)),
    [Symbol.asyncDispose]: () => within(patienceMs, signer.close()),
  };
}

class TokenSigner {
  readonly #cryptoki: Cryptoki;
  readonly #name: KeyName;
  readonly #pin: Live<string>;
  #open: TokenKey | undefined;
  /** Tokens lock after a few wrong ones, so none is said twice. */
  #refusedPin: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(cryptoki: Cryptoki, { token, key, pin }: KeyName & { readonly pin: Live<string> }) {
    this.#cryptoki = cryptoki;
    this.#name = { token, key };
    this.#pin = pin;
  }

  /** The first signature, whose Fault says what is wrong with the configuration. */
  first(message: Uint8Array): Promise<Uint8Array> {
    return this.#inTurn(() => this.#signOnce(digestOf(message)));
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    const digest = digestOf(message);
    return this.#inTurn(async () => {
      try {
        // Whatever became of the session, a new one is tried, and the module as a whole where that fails too.
        return await this.#signOnce(digest).catch(() => this.#signOnce(digest));
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Fault('ledger-unavailable', `The token that has the client key does not sign. ${why}`, { cause });
      }
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#forget());
  }

  async #signOnce(digest: Uint8Array): Promise<Uint8Array> {
    this.#open ??= await this.#openKey();
    try {
      const signature = await this.#cryptoki.signDigest(this.#open.session, this.#open.key, digest);
      if (signature.length !== 64) throw invalid(`The key ${this.#name.key} is not on the curve P-256.`);
      return lowSDer(signature);
    } catch (error) {
      await this.#forget();
      throw error;
    }
  }

  async #openKey(): Promise<TokenKey> {
    const pin = this.#pin.current();
    if (pin === this.#refusedPin) throw invalid('The token has refused this PIN, so it is not said again.');
    try {
      return await openTokenKey(this.#cryptoki, this.#name, pin);
    } catch (error) {
      if (error instanceof ReturnFault && error.isRefusedPin) this.#refusedPin = pin;
      // Modules of network devices come back only when they are initialised anew.
      await this.#cryptoki.finalize().catch(() => undefined);
      throw error;
    }
  }

  async #forget(): Promise<void> {
    const session = this.#open?.session;
    this.#open = undefined;
    if (session !== undefined) await this.#cryptoki.closeSession(session).catch(() => undefined);
  }

  /** A session signs one thing at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function digestOf(message: Uint8Array): Uint8Array {
  return createHash('sha256').update(message).digest();
}

function invalid(message: string): Fault {
  return new Fault('configuration-invalid', message);
}

async function within<T>(patienceMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const fault = new Fault(
    'ledger-unavailable',
    `The token that has the client key did not answer within ${patienceMs} ms.`,
  );
  const timer = setTimeout(() => late.reject(fault), patienceMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
