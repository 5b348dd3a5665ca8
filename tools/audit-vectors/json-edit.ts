import assert from 'node:assert/strict';
import type { Json } from '@linkspan/protocol';

/** A parsed file in the hands of somebody who changes it. Every edit must find what it changes, or the vector would prove nothing. */
export class JsonEdit {
  readonly document: unknown;

  constructor(document: object) {
    this.document = structuredClone(document);
  }

  /** The value at a JSON pointer. */
  get(pointer: string): unknown {
    return pointer
      .split('/')
      .slice(1)
      .reduce((at: unknown, name) => {
        assert.ok(typeof at === 'object' && at !== null && Object.hasOwn(at, name), `nothing at ${pointer}`);
        return Reflect.get(at, name);
      }, this.document);
  }

  /** Sets a member that may be new; what is there must change. */
  set(pointer: string, value: unknown): this {
    const { holder, name } = this.#split(pointer);
    assert.notDeepEqual(Reflect.get(holder, name), value, `${pointer} is so already`);
    Reflect.set(holder, name, value);
    return this;
  }

  remove(pointer: string): this {
    const { holder, name } = this.#split(pointer);
    assert.ok(Object.hasOwn(holder, name), `nothing at ${pointer}`);
    if (Array.isArray(holder)) holder.splice(Number(name), 1);
    else Reflect.deleteProperty(holder, name);
    return this;
  }

  insert(pointer: string, value: unknown): this {
    const { holder, name } = this.#split(pointer);
    assert.ok(Array.isArray(holder), `${pointer} is in no list`);
    holder.splice(Number(name), 0, structuredClone(value));
    return this;
  }

  swap(a: string, b: string): this {
    const [first, second] = [this.get(a), this.get(b)];
    return this.set(a, second).set(b, first);
  }

  #split(pointer: string): { readonly holder: object; readonly name: string } {
    const end = pointer.lastIndexOf('/');
    const holder = this.get(pointer.slice(0, end));
    assert.ok(typeof holder === 'object' && holder !== null, `nothing at ${pointer}`);
    return { holder, name: pointer.slice(end + 1) };
  }
}

/** Lists inside lists, so deep. */
export function nested(depth: number): Json {
  let value: Json = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}
