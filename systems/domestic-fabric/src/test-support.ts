import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { CashChaincode } from './cash-chaincode.ts';
import type { SignedCertificate, SignedEpoch } from './certificate.ts';
import { FakePeer } from './fake-peer.ts';
import type { Simulation } from './fake-peer.ts';
import { identityOf } from './identity.ts';
import type { Creator } from './identity.ts';
import { hexOf, keccak } from './keccak.ts';
import { leafHash, nodeHash } from './merkle.ts';
import { certificateHash, epochDigest, rootDigest } from './typed-data.ts';
import type { Certificate, Epoch } from './typed-data.ts';

export type Signer = { address: string; sign: (digest: Uint8Array) => string };
export type Who = keyof typeof CERTIFICATES;

/** Self-signed certificates whose private keys are gone; a chaincode sees of a caller only these. */
const CERTIFICATES = {
  issuer:
    'MIIBdjCCAR2gAwIBAgIUDJ/y8ACHpmpZpz5MGuI9ckFcUJwwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGaXNzdWVyMB4XDTI2MTEyMjIwMzU0NVoXDTM2MTExOTIwMzU0NVowETEPMA0GA1UEAwwGaXNzdWVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMVVP1A5uvDwBiEtBGb4rQ4HOsNO5PkLeMRpw5ym73AV3DUuKO5kq9HZpCexkRgQ5sFLpEeqa3csTF5rtXX5YHaNTMFEwHQYDVR0OBBYEFJxR8iPrapKjT+8VC3mNcC18kvD1MB8GA1UdIwQYMBaAFJxR8iPrapKjT+8VC3mNcC18kvD1MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgJv3QoTgvzmYm/7d3jg3z/fj/5cecRv1oT1I4mHzfKTUCICIpRt7ZpARKE3GrOnh2GLjtOw7c2ljWyKChQ9qoU8mi',
  executor:
    'MIIBejCCASGgAwIBAgIUG7fd3QqrCai2h3Wk+WOn3DW/k/QwCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIZXhlY3V0b3IwHhcNMjYxMTIyMjAzNTQ1WhcNMzYxMTE5MjAzNTQ1WjATMREwDwYDVQQDDAhleGVjdXRvcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLToLEuoqqV5T54PjiWk4QNF1lZyQD4mUTzGtdU9VWrFlklCb1qQMObpMnWyO0AiwEP18RHC6ayY8ObbOhOyk4ejUzBRMB0GA1UdDgQWBBSCCZjC6kCuLmskwuRkOhXoV7TgojAfBgNVHSMEGDAWgBSCCZjC6kCuLmskwuRkOhXoV7TgojAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCICWMWxgVK2v/Fwbww5dZXX7IsiL5ykdDjmV8JCRcsEACAiBVYs3o7mE9skwFvG8BvPdVyIfULp4cDVRiFa534BxGcw==',
  second:
    'MIIBeDCCAR2gAwIBAgIUd2i1U2D9nAI+VYHsjmLOk4/lskUwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGc2Vjb25kMB4XDTI2MTEyMjIwMzU0NVoXDTM2MTExOTIwMzU0NVowETEPMA0GA1UEAwwGc2Vjb25kMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbMoMDQ0wcleAv4emlsYCEWY/uDJfkHltW+QURIq9hEol2P4r5rgkqyK0pOB1cIdCTldtpvQSuu6bhq/+TbERQaNTMFEwHQYDVR0OBBYEFNQKBITnGeQnbuRNwpy5brEt0f9+MB8GA1UdIwQYMBaAFNQKBITnGeQnbuRNwpy5brEt0f9+MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAOZsO7yec1hl9Pz2jjh+rSXRbzZ1PCtzFAodttsq47fCAiEA4C2wnmlQVIKFGiEUMIQX2NCvQXtZ3JbnkIMmVDvNGLU=',
  stranger:
    'MIIBejCCASGgAwIBAgIUKuFIg+bIHiS9I+j0gKkDUbymNmgwCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIc3RyYW5nZXIwHhcNMjYxMTIyMjAzNTQ1WhcNMzYxMTE5MjAzNTQ1WjATMREwDwYDVQQDDAhzdHJhbmdlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH6XMquG4gEwNY0aQ4Bdny3iUwXrtR0a8OsPrE20IBgHdbOuvQ/EItpDQlC4r8ywqRbKSN2McbCXAZafFigGHi6jUzBRMB0GA1UdDgQWBBRqVszsRA3zQpZcMlN7kruq22hngzAfBgNVHSMEGDAWgBRqVszsRA3zQpZcMlN7kruq22hngzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHyb1YoKz7N4dQa7+CkYdnhN+SwTxltsnfUOcT0QMPP0AiB6aWJrg0fdFiRpYIMD1UJUVeL8GoivEbH0CxkiHkHbTg==',
} as const;

export function creatorOf(who: Who): Creator {
  const lines = CERTIFICATES[who].match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return { mspid: who === 'issuer' ? 'country-a' : 'country-b', idBytes: Buffer.from(pem) };
}

/** Five keys in ascending order of their addresses; the first three are the members of epoch 1. */
export const SIGNERS: readonly Signer[] = Array.from({ length: 5 }, (_, index) => signer(`signer ${index}`)).toSorted(
  (one, other) => (one.address < other.address ? -1 : 1),
);
export const MEMBERS = SIGNERS.slice(0, 3);
export const NETWORK = id('network');
export const SETTLEMENT = id('settlement');

/** An id that is the same for the same words. */
export function id(words: string): string {
  return hexOf(keccak(Buffer.from(words)));
}

/** A token that is started, with 1000 in the account 0042, which the two executors may debit. */
export class TestToken {
  readonly peer = new FakePeer();
  readonly chaincode = new CashChaincode({ issuerMsp: 'country-a' });

  static async start(): Promise<TestToken> {
    const token = new TestToken();
    const signers = MEMBERS.map(({ address }) => address);
    await token.done('issuer', { type: 'start', network: NETWORK, epoch: 1, quorum: 2, signers });
    const owner = identityOf(creatorOf('issuer'));
    for (const account of ['0042', '0099']) await token.done('issuer', { type: 'open-account', account, owner });
    await token.done('issuer', { type: 'issue', account: '0042', amount: '1000' });
    for (const who of ['executor', 'second'] as const) {
      const identity = identityOf(creatorOf(who));
      await token.done('issuer', { type: 'register-executor', identity });
      await token.done('issuer', { type: 'authorise', account: '0042', operator: identity });
    }
    return token;
  }

  simulate(who: Who, ...requests: object[]): Promise<Simulation> {
    return this.peer.simulate(this.chaincode, creatorOf(who), ['submit', JSON.stringify(requests)]);
  }

  /** The answer to one request, in a transaction of its own: a code of refusal, or `now`, `before`. */
  async ask(who: Who, request: object): Promise<string> {
    const simulation = await this.simulate(who, request);
    assert.equal(simulation.status, 200, simulation.message);
    assert.ok(this.peer.commit(simulation));
    const [answer] = answersOf(simulation);
    return answer ?? '';
  }

  async done(who: Who, request: object): Promise<void> {
    assert.equal(await this.ask(who, request), 'now');
  }

  async position(account: string): Promise<[balance: string, held: string]> {
    const { payload } = await this.peer.simulate(this.chaincode, creatorOf('stranger'), ['balances', '{}']);
    const rows: { account: string; balance: string; held: string }[] = JSON.parse(payload);
    const row = rows.find((each) => each.account === account);
    return [row?.balance ?? '', row?.held ?? ''];
  }
}

export function answersOf({ payload }: Simulation): string[] {
  const answers: { ok: boolean; code?: string; value?: { done: string } }[] = JSON.parse(payload);
  return answers.map(({ code, value }) => code ?? value?.done ?? '');
}

export function holdOf(words: string, changes: Record<string, string> = {}): object {
  return {
    type: 'hold',
    operation: id(words),
    settlement: SETTLEMENT,
    from: '0042',
    to: '0099',
    amount: '100',
    ...changes,
  };
}

/** A certificate beside another one in its block, signed by the first two members; it commits the hold `a` unless it says otherwise. */
export function signed(
  changes: Partial<Certificate> = {},
  by: readonly Signer[] = MEMBERS.slice(0, 2),
): SignedCertificate {
  const usual = { network: NETWORK, settlement: SETTLEMENT, kind: 'commit', scenario: id('scenario') } as const;
  const certificate = { ...usual, head: id('head'), count: 7, epoch: 1, operations: [id('a')], ...changes };
  const beside = leafHash(keccak(Buffer.from('beside')));
  const root = nodeHash(beside, leafHash(certificateHash(certificate)));
  const digest = rootDigest(certificate.network, certificate.epoch, 12, root);
  const path = { index: 1, size: 2, hashes: [hexOf(beside)] };
  return { certificate, block: 12, path, signatures: by.map((each) => each.sign(digest)) };
}

export function signedEpoch(changes: Partial<Epoch> = {}, by: readonly Signer[] = MEMBERS.slice(0, 2)): SignedEpoch {
  const signers = SIGNERS.slice(2).map(({ address }) => address);
  const epoch: Epoch = { network: NETWORK, epoch: 2, quorum: 2, signers, ...changes };
  return { ...epoch, signatures: by.map((each) => each.sign(epochDigest(epoch))) };
}

type Curve = {
  publicKeyCreate: (key: Uint8Array, compressed: boolean) => Uint8Array;
  ecdsaSign: (digest: Uint8Array, key: Uint8Array) => { signature: Uint8Array; recid: number };
};

function signer(words: string): Signer {
  const curve: unknown = createRequire(import.meta.url)('secp256k1');
  assert.ok(isCurve(curve));
  const key = keccak(Buffer.from(words));
  const address = hexOf(keccak(curve.publicKeyCreate(key, false).subarray(1)).subarray(12));
  const sign = (digest: Uint8Array) => {
    const { signature, recid } = curve.ecdsaSign(digest, key);
    return hexOf(Buffer.concat([signature, Uint8Array.of(27 + recid)]));
  };
  return { address, sign };
}

function isCurve(value: unknown): value is Curve {
  return typeof value === 'object' && value !== null && 'publicKeyCreate' in value && 'ecdsaSign' in value;
}
