import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { corruptFault } from './storage-fault.ts';

/** A text as it is stored, in one of the forms below. */
export type Packed = { readonly form: number; readonly body: Uint8Array };
/** What later texts of the class may repeat. */
export type Dictionary = { readonly number: number; readonly class: string; readonly bytes: Uint8Array };

export const DICTIONARY_TABLE = `
  CREATE TABLE dictionary (number INTEGER PRIMARY KEY, class TEXT NOT NULL, body BLOB NOT NULL) STRICT;
`;

/** Plain UTF-8. */
const PLAIN = 0;
/** A Zstandard frame (RFC 8878). */
const ZSTANDARD = 1;
/** DEFLATE (RFC 1951) without a dictionary. Each greater number is DEFLATE with the dictionary of that number. */
const DEFLATE = 2;

/** Shorter texts gain little and cost as much. */
const SHORTEST = 160;
/** DEFLATE looks back 32 KB: what is longer repeats itself further away than that, and needs no dictionary to begin with. */
const LONGEST_DEFLATED = 49_152;
/** A longer dictionary costs more time than it saves bytes. */
const DICTIONARY_BYTES = 16_384;
const CLASSES = 64;
/** A store learns early, when it has little, and again when what it holds has become typical of it. */
const LEARNING_BLOCKS: ReadonlySet<number> = new Set([8, 64, 512, 4096]);
/** Measured: levels above cost twice the time for a tenth of the bytes. */
const DEFLATE_OPTIONS = { level: 3, chunkSize: 8192 };

/**
 * Makes texts small for the disk. What a short text repeats stands in others of its class, so the store learns dictionaries from its own
 * content and keeps them beside what is packed with them. This is a matter of storage: hashes are over the texts.
 */
export class TextPacker {
  readonly #insert: StatementSync;
  readonly #dictionaries = new Map<number, Uint8Array>();
  readonly #newest = new Map<string, number>();
  /** The longest text of each class since dictionaries were last learnt. */
  readonly #samples = new Map<string, string>();

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO dictionary (number, class, body) VALUES (?, ?, ?)');
    const rows = db.prepare('SELECT number, class, body FROM dictionary ORDER BY number').all();
    for (const { number, class: name, body } of rows) {
      if (typeof number !== 'number' || typeof name !== 'string' || !(body instanceof Uint8Array))
        throw corruptFault('a dictionary has another form');
      this.#adopt({ number, class: name, bytes: body });
    }
  }

  /** `sample` is what a dictionary of the class could be made of. */
  pack(name: string, text: string, sample = text): Packed {
    if (text.length < SHORTEST) return { form: PLAIN, body: Buffer.from(text) };
    this.#remember(name, sample);
    if (text.length > LONGEST_DEFLATED) return { form: ZSTANDARD, body: zstdCompressSync(text) };
    const form = this.#newest.get(name) ?? DEFLATE;
    const dictionary = this.#dictionaries.get(form);
    return { form, body: deflateRawSync(text, dictionary ? { ...DEFLATE_OPTIONS, dictionary } : DEFLATE_OPTIONS) };
  }

  /** Throws a Fault `storage-corrupt` for what no text was packed into. */
  unpack(form: number, body: Uint8Array): string {
    try {
      return this.#unpacked(form, body).toString();
    } catch (error) {
      throw corruptFault('a packed text cannot be unpacked', error);
    }
  }

  /** In the transaction of a block: writes down new dictionaries where it is time for them. They are used only once that is durable. */
  learn(block: number): readonly Dictionary[] {
    if (!LEARNING_BLOCKS.has(block)) return [];
    const last = Math.max(DEFLATE, ...this.#dictionaries.keys());
    const learnt = [...this.#samples].map(([name, text], i) => ({
      number: last + 1 + i,
      class: name,
      bytes: Buffer.from(text).subarray(0, DICTIONARY_BYTES),
    }));
    for (const dictionary of learnt) this.#insert.run(dictionary.number, dictionary.class, dictionary.bytes);
    return learnt;
  }

  learnt(dictionaries: readonly Dictionary[]): void {
    if (dictionaries.length > 0) this.#samples.clear();
    for (const dictionary of dictionaries) this.#adopt(dictionary);
  }

  #adopt({ number, class: name, bytes }: Dictionary): void {
    this.#dictionaries.set(number, bytes);
    this.#newest.set(name, number);
  }

  #remember(name: string, sample: string): void {
    const known = this.#samples.get(name);
    const isRoom = known !== undefined || this.#samples.size < CLASSES;
    const length = Math.min(sample.length, DICTIONARY_BYTES);
    if (isRoom && length > (known?.length ?? 0)) this.#samples.set(name, sample.slice(0, DICTIONARY_BYTES));
  }

  #unpacked(form: number, body: Uint8Array): Buffer {
    if (form === PLAIN) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (form === ZSTANDARD) return zstdDecompressSync(body);
    if (form === DEFLATE) return inflateRawSync(body);
    const dictionary = this.#dictionaries.get(form);
    if (!dictionary) throw corruptFault(`there is no dictionary ${form}`);
    return inflateRawSync(body, { dictionary });
  }
}
