import { canonicalText, Fault, hashSchema, type JsonObject, type SignedCall } from '@linkspan/protocol';
import type { Archive, ArchivedCall } from '../archive.ts';
import { type Block, textHash } from './block.ts';
import type { BlockStore } from './block-store.ts';
import type { IndexedCall, Place } from './call-index.ts';
import { corruptFault } from './storage-fault.ts';

/** The accepted calls of a block as they are indexed. What a call is about is what the contract answered that it is about. */
export function indexCalls(
  accepted: readonly { readonly call: SignedCall; readonly value: JsonObject }[],
): IndexedCall[] {
  return accepted.map(({ call: { call }, value }, position) => {
    const subject = hashSchema.safeParse(value['proposal']);
    return {
      id: textHash(canonicalText(call)),
      position,
      type: call.body.type,
      subject: subject.success ? subject.data : null,
    };
  });
}

/** The archive of the embedded host: the index says where calls stand, the blocks hold them. `use` guards every use of the storage. */
export function blockArchive(store: BlockStore, use: <T>(read: () => T) => T): Archive {
  const read = async (places: () => readonly Place[]): Promise<readonly ArchivedCall[]> =>
    use(() => callsAt(store, places()));
  return {
    host: 'embedded',
    calls: (ids) => read(() => store.calls.byIds([...new Set(ids)])),
    about: (proposal) => read(() => store.calls.bySubject(proposal)),
    // One operator writes this ledger: there is nobody else whose signature could stand under its blocks.
    blocks: async () => null,
    environment: (upTo = Number.MAX_SAFE_INTEGER) => read(() => store.calls.environment(upTo)),
    reports: (upTo) => read(() => store.calls.reports(upTo)),
    period: async (from, to, { limit, after = '-1' }) => {
      const place = /^-?[0-9]{1,16}$/.test(after) ? Number(after) : undefined;
      if (place === undefined) throw new Fault('request-invalid', 'The cursor is none of this ledger.');
      const found = use(() => store.calls.subjects(from, to, place, limit));
      const last = found.length < limit ? undefined : found.at(-1);
      return { proposals: found.map(({ subject }) => subject), next: last ? String(last.place) : null };
    },
  };
}

/** Places come in order, so each block is read and parsed once. */
function callsAt(store: BlockStore, places: readonly Place[]): ArchivedCall[] {
  let current: { readonly block: Block; readonly calls: readonly SignedCall[] } | undefined;
  return places.map(({ block: number, position }) => {
    if (current?.block.number !== number) current = readBlock(store, number);
    const call = current.calls[position];
    if (!call) throw corruptFault(`block ${number} has no call ${position}`);
    return { block: number, time: current.block.time, index: position, call };
  });
}

function readBlock(
  store: BlockStore,
  number: number,
): { readonly block: Block; readonly calls: readonly SignedCall[] } {
  const [block] = store.blocksAfter(number - 1, 1);
  if (block?.number !== number) throw corruptFault(`block ${number} is missing`);
  return { block, calls: parseCalls(block.calls) };
}

/** What was written here is read here: only calls that the contract accepted are ever put into it. */
function parseCalls(text: string): readonly SignedCall[] {
  return JSON.parse(text);
}
