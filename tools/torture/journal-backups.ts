import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Files of an SQLite database that belong together. */
const PARTS = ['', '-wal', '-shm'];

/** Copies of what an organisation's coordinator writes down for itself, taken while nobody has it open. */
export class JournalBackups {
  readonly #journal: string;
  readonly #folder: string;
  #count = 0;

  constructor(journal: string, folder: string) {
    this.#journal = journal;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  get count(): number {
    return this.#count;
  }

  take(): void {
    const to = join(this.#folder, String(this.#count));
    mkdirSync(to, { recursive: true });
    for (const part of PARTS)
      if (existsSync(this.#journal + part)) cpSync(this.#journal + part, join(to, `journal${part}`));
    this.#count += 1;
  }

  /** Puts an old copy in the place of the present one. */
  restore(number: number): void {
    const from = join(this.#folder, String(number));
    for (const part of PARTS) rmSync(this.#journal + part, { force: true });
    for (const file of readdirSync(from)) cpSync(join(from, file), this.#journal + file.slice('journal'.length));
  }
}
