import { checkEpoch } from './certificate.ts';
import type { SignedEpoch } from './certificate.ts';
import type { Registry } from './config.ts';
import type { Journal } from './journal.ts';
import { refuse } from './refusal.ts';
import type { Result } from './refusal.ts';
import type { Epoch } from './typed-data.ts';

/** Installs the epoch after the latest one under the latter's quorum. Anyone may bring it; a repetition is answered. */
export function installEpoch(
  { registry, journal }: { registry: Registry; journal: Journal },
  next: SignedEpoch,
  timeMs: number,
): Result<{ status: number; body: Epoch }> {
  const { network } = registry.firstEpoch;
  const body = { network: next.network, epoch: next.epoch, quorum: next.quorum, signers: next.signers };
  const known = journal.epochAt(network, next.epoch);
  if (known !== undefined) return isSame(known, body) ? { ok: true, value: { status: 200, body } } : used(next.epoch);
  const number = journal.latestEpoch();
  const latest = journal.epochAt(network, number);
  if (latest === undefined) throw new Error('The books have no epoch.');
  if (next.epoch !== number + 1) return refuse('epoch-not-next', `The next epoch is ${number + 1}.`);
  const check = checkEpoch(next, latest);
  if (!check.ok) return check;
  journal.addEpoch(body);
  journal.book({ verb: 'epoch', epoch: next.epoch, timeMs });
  return { ok: true, value: { status: 201, body } };
}

function isSame(known: Epoch, given: Epoch): boolean {
  return (
    known.network === given.network && known.quorum === given.quorum && known.signers.join() === given.signers.join()
  );
}

function used(epoch: number) {
  return refuse('id-used', `Epoch ${epoch} is installed with other members.`);
}
