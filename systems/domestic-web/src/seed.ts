import type { DatabaseSync } from 'node:sqlite';
import type { Registry } from './config.ts';
import { ISSUE } from './journal.ts';
import type { Journal } from './journal.ts';
import { StartError } from './start-error.ts';

/**
 * Brings fresh or known data in line with the configuration: the first epoch and the opening positions are booked
 * once per data directory and account. Data of another system or network is refused.
 */
export function seed(database: DatabaseSync, journal: Journal, registry: Registry, timeMs: number): void {
  database.exec('BEGIN IMMEDIATE');
  const about = database.prepare('SELECT name, network FROM about').get();
  if (about === undefined) claim(database, journal, registry);
  else checkSame(journal, registry, about);
  for (const account of registry.accounts.values()) {
    if (journal.hasAccount(account.id)) continue;
    journal.addAccount(account.id);
    for (const [asset, amount] of account.opening) {
      if (amount === 0n) continue;
      const terms = { from: ISSUE.account, to: account.id, asset, amount };
      const to = { account: account.id, bucket: 'free' as const };
      journal.book({ verb: 'open', terms, timeMs }, { from: ISSUE, to });
    }
  }
  database.exec('COMMIT');
}

function claim(database: DatabaseSync, journal: Journal, registry: Registry): void {
  const { name, firstEpoch } = registry;
  database.prepare('INSERT INTO about (name, network) VALUES (?, ?)').run(name, firstEpoch.network);
  journal.addEpoch(firstEpoch);
}

function checkSame(journal: Journal, registry: Registry, about: Record<string, unknown>): void {
  const { name, dataDir, firstEpoch } = registry;
  if (about['name'] !== name) {
    throw new StartError(`The data in ${dataDir} belongs to ${String(about['name'])}, not to ${name}.`);
  }
  const stored = journal.epochAt(firstEpoch.network, firstEpoch.epoch);
  const isSame =
    about['network'] === firstEpoch.network &&
    stored?.quorum === firstEpoch.quorum &&
    stored.signers.join() === firstEpoch.signers.join();
  if (!isSame) throw new StartError(`The data in ${dataDir} was opened with another network or other signers.`);
}
