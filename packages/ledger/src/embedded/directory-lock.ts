import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@linkspan/protocol';
import { isBusy, storageFault } from './storage-fault.ts';

/**
 * Takes the right to write in a directory, for this opener alone, in this process or another. The lock is the operating system's own, held
 * by an open SQLite transaction (Node has no other way to lock a file): it ends with the process however that ends, so there is no stale lock
 * to judge and no reused process id to be fooled by. Throws a Fault `storage-unavailable` where somebody else holds it.
 */
export function lockDirectory(directory: string): Disposable {
  let lock: DatabaseSync | undefined;
  try {
    const held = (lock = new DatabaseSync(join(directory, 'lock'), { timeout: 0 }));
    held.exec('BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => held.close() };
  } catch (error) {
    lock?.close();
    if (isBusy(error)) {
      throw new Fault(
        'storage-unavailable',
        `The ledger in ${directory} is open already, here or in another process.`,
        { cause: error },
      );
    }
    throw storageFault(error, `locking ${directory}`);
  }
}
