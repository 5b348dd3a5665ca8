/** Reads the members of a request. What is missing or wrong is noted and read as an empty value; nothing is used while there are problems. */
export class Fields {
  readonly problems: string[];
  readonly #members: ReadonlyMap<string, unknown>;
  readonly #at: string;
  readonly #asked = new Set<string>();

  constructor(value: unknown, at = '', problems: string[] = []) {
    this.problems = problems;
    this.#at = at;
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#members = new Map(isRecord ? Object.entries(value) : []);
    if (!isRecord) problems.push(`${at || '/'} must be an object`);
  }

  has(name: string): boolean {
    return this.#members.get(name) !== undefined;
  }

  text(name: string, pattern: RegExp, words: string): string {
    const value = this.#take(name);
    if (typeof value === 'string' && pattern.test(value)) return value;
    this.problems.push(`${this.#at}/${name} must be ${words}`);
    return '';
  }

  /** 32 bytes in hex, in lower case so that one id has one spelling. */
  bytes32(name: string): string {
    return this.text(name, /^0x[0-9a-f]{64}$/i, '32 bytes in hex').toLowerCase();
  }

  /** An id that an effect is keyed by. Zero means "no id" elsewhere and is therefore never one. */
  id(name: string): string {
    const id = this.bytes32(name);
    if (id === ZERO_ID) this.problems.push(`${this.#at}/${name} must not be zero`);
    return id;
  }

  integer(name: string, least: number): number {
    const value = this.#take(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
    this.problems.push(`${this.#at}/${name} must be an integer from ${least}`);
    return least;
  }

  oneOf<const T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const value = this.#take(name);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) this.problems.push(`${this.#at}/${name} must be one of ${choices.join(', ')}`);
    return found ?? choices[0];
  }

  texts(name: string, most: number, pattern: RegExp, words: string): string[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > most) {
      this.problems.push(`${this.#at}/${name} must be a list of at most ${most} elements`);
      return [];
    }
    return value.map((each: unknown, index) => {
      if (typeof each === 'string' && pattern.test(each)) return each;
      this.problems.push(`${this.#at}/${name}/${index} must be ${words}`);
      return '';
    });
  }

  object(name: string): Fields {
    return new Fields(this.#take(name), `${this.#at}/${name}`, this.problems);
  }

  /** Notes the members that nobody asked for. */
  end(): void {
    for (const name of this.#members.keys())
      if (!this.#asked.has(name)) this.problems.push(`${this.#at}/${name} is not a known member`);
  }

  #take(name: string): unknown {
    this.#asked.add(name);
    return this.#members.get(name);
  }
}

const ZERO_ID = `0x${'0'.repeat(64)}`;
