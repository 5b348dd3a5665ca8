import { DatabaseSync } from 'node:sqlite';
import { accept, type Certificate, Fault, hashBytes, refuse, type Result } from '@linkspan/protocol';

/**
 * What an organisation has signed, written down before it signs, so that no restart can make it sign commit and abort of one settlement,
 * or two versions of one block. It also keeps the place in the ledger from which a restart reads.
 */
export interface SigningJournal extends Disposable {
  /** The last block that needs no second reading. */
  checkpoint(): number;
  saveCheckpoint(block: number): void;
  /** Durable when it returns. Refuses what contradicts anything written before. */
  write(block: number, root: string, certificates: readonly Certificate[]): Result<null>;
  /** The same for certificates that are signed again, each alone, because a later epoch counts now. */
  writeAgain(certificates: readonly Certificate[]): Result<null>;
}

/** A journal in a SQLite file of the organisation's own. */
export function openSigningJournal(path: string): SigningJournal {
  const database = open(path);
  const blockRoot = database.prepare('SELECT root FROM signed_block WHERE block = ?');
  const addBlock = database.prepare('INSERT OR IGNORE INTO signed_block (block, root) VALUES (?, ?)');
  const decision = database.prepare('SELECT kind FROM signed_decision WHERE settlement = ?');
  const addDecision = database.prepare('INSERT OR IGNORE INTO signed_decision (settlement, kind) VALUES (?, ?)');
  const progress = database.prepare('SELECT checkpoint FROM progress');
  const saveProgress = database.prepare(
    'INSERT INTO progress VALUES (1, ?) ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint',
  );

  const otherBlock = (block: number, root: string): string | undefined => {
    const signedRoot = blockRoot.get(block)?.['root'];
    return signedRoot !== undefined && signedRoot !== root ? `block ${block} was signed with other content` : undefined;
  };
  const otherDecision = (certificates: readonly Certificate[]): string | undefined => {
    for (const { settlement, kind } of certificates.filter(decides)) {
      const signed = decision.get(hashBytes(settlement))?.['kind'];
      if (signed !== undefined && signed !== kind)
        return `${String(signed)} of ${settlement} was signed, so ${kind} is not`;
    }
    return undefined;
  };
  const together = (work: () => void): Result<null> => {
    database.exec('BEGIN');
    try {
      work();
      database.exec('COMMIT');
    } catch (cause) {
      database.exec('ROLLBACK');
      throw new Fault('storage-unavailable', 'The signing journal cannot be written.', { cause });
    }
    return accept(null);
  };
  const note = (certificates: readonly Certificate[]): void => {
    for (const { settlement, kind } of certificates.filter(decides)) addDecision.run(hashBytes(settlement), kind);
  };

  return {
    checkpoint: () => Number(progress.get()?.['checkpoint'] ?? 0),
    saveCheckpoint: (block) => void saveProgress.run(block),
    write(block, root, certificates) {
      const reason = otherBlock(block, root) ?? otherDecision(certificates);
      if (reason !== undefined) return forbidden(reason);
      if (blockRoot.get(block)) return accept(null);
      return together(() => {
        addBlock.run(block, root);
        note(certificates);
      });
    },
    writeAgain(certificates) {
      const reason = otherDecision(certificates);
      return reason === undefined ? together(() => note(certificates)) : forbidden(reason);
    },
    [Symbol.dispose]: () => database.close(),
  };
}

function forbidden(reason: string): Result<null> {
  return refuse('certificate-refused', `The signing journal forbids it: ${reason}.`);
}

/** How long a write waits for another one on the same file, where two coordinators run by mistake. */
const BUSY_MS = 2000;

const VERSION = 2;

const TABLES = `
  BEGIN IMMEDIATE;
  CREATE TABLE signed_block (block INTEGER PRIMARY KEY, root TEXT NOT NULL) STRICT;
  CREATE TABLE signed_decision (settlement BLOB PRIMARY KEY, kind TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${VERSION};
  COMMIT;
`;

function open(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    if (number(database, 'SELECT count(*) FROM sqlite_schema') === 0) database.exec(TABLES);
    const version = number(database, 'PRAGMA user_version');
    if (version === VERSION) return database;
    database.close();
    // What it says of earlier signatures could not be found, so it must not be used.
    throw new Fault('configuration-invalid', `The signing journal ${path} is of version ${version}, not ${VERSION}.`);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('storage-unavailable', `The signing journal ${path} cannot be opened.`, { cause });
  }
}

function number(database: DatabaseSync, query: string): number {
  return Number(Object.values(database.prepare(query).get() ?? {})[0]);
}

function decides(certificate: Certificate): boolean {
  return certificate.kind === 'commit' || certificate.kind === 'abort';
}
