import type { Effect, Leg, Position, Trade } from './facts.ts';

export type Books = { readonly effects: readonly Effect[]; readonly positions: readonly Position[] };
/** Opening balances by `SYSTEM account ASSET`. */
export type Opening = ReadonlyMap<string, bigint>;

/**
 * What is wrong, in words; nothing when every trade has a right end and the books of all systems say the same. It shares no code with the
 * product: legs come from the texts of the instructions, the rest from what the connected systems tell anyone.
 */
export function judge(trades: readonly Trade[], { effects, positions }: Books, opening: Opening): string[] {
  const bySettlement = groupBy(effects, (effect) => effect.settlement);
  const known = new Set(
    trades.flatMap(({ end }) => ('settlement' in end && end.settlement !== undefined ? [end.settlement] : [])),
  );
  const strangers = [...bySettlement.keys()].filter((settlement) => settlement !== undefined && !known.has(settlement));
  const names = new Set(trades.map(({ tradeId }) => tradeId));
  const own = effects.filter(({ verb }) => verb === 'transfer' || verb === 'dvp');
  return [
    ...trades.flatMap((trade) => judgeEnd(trade).map((wrong) => `${trade.tradeId}: ${wrong}`)),
    ...trades.flatMap((trade) => judgeEffects(trade, bySettlement).map((wrong) => `${trade.tradeId}: ${wrong}`)),
    ...trades.flatMap((trade) => judgeDomestic(trade, own).map((wrong) => `${trade.tradeId}: ${wrong}`)),
    ...own.flatMap(({ verb, trade }) =>
      names.has(trade ?? '') ? [] : [`a ${verb} under the trade id ${trade ?? ''}, which no client knows`],
    ),
    ...strangers.map((settlement) => `something happened for the settlement ${settlement}, which no client knows`),
    ...judgeOnce(effects),
    ...judgePositions(trades, own, positions, opening),
  ];
}

function judgeEnd({ kind, end, deadlineMs }: Trade): string[] {
  if (end.phase === 'stuck') return [`did not end: ${end.state}`];
  if (end.phase === 'refused') return judgeRefusal(kind, end.codes);
  if (kind.name === 'bad') return [`ended ${end.phase} though its instruction is bad`];
  const late = end.endedMs >= deadlineMs;
  if (end.phase === 'rejected') {
    if (!late) return ['was rejected before its deadline'];
    const wanted = kind.name === 'differs' ? kind.differences.join() : '';
    // Where one side was too late to lodge there is nothing to compare.
    return end.differences.length === 0 || end.differences.join() === wanted
      ? []
      : [`was rejected for differences in ${end.differences.join()}`];
  }
  if (kind.name === 'differs') return [`ended ${end.phase} though its sides differ`];
  if (end.phase === 'settled') return kind.name === 'short' ? ['settled though something was missing'] : [];
  if (late && end.because.includes('the deadline passed')) return [];
  if (kind.name === 'short' && end.because === kind.because) return [];
  return [`was cancelled because "${end.because}"${late ? '' : ', before its deadline'}`];
}

function judgeRefusal(kind: Trade['kind'], codes: readonly string[]): string[] {
  // A client that reached nobody until its deadline is told so; the quote ends with the deadline.
  const allowed = kind.name === 'bad' ? kind.codes : ['deadline-passed', 'rate-expired'];
  const wrong = codes.filter((code) => !allowed.includes(code));
  if (codes.length === 0) return ['was refused without a reason'];
  if (kind.name === 'bad')
    for (const code of kind.codes) if (!codes.includes(code) && code !== 'trade-id-used') wrong.push(`no ${code}`);
  return wrong.length === 0 ? [] : [`was refused: ${codes.join(', ')}`];
}

/** Settled: each leg held once and executed once, as agreed. Otherwise: whatever was held is released, nothing executed. */
function judgeEffects(
  { legs, end }: Trade,
  bySettlement: ReadonlyMap<string | undefined, readonly Effect[]>,
): string[] {
  if (!('settlement' in end) || end.settlement === undefined) return [];
  const effects = bySettlement.get(end.settlement) ?? [];
  const of = (verb: Effect['verb']): string[] =>
    effects
      .filter((effect) => effect.verb === verb)
      .map(({ leg }) => describe(leg))
      .toSorted();
  const [held, executed, released] = [of('hold'), of('execute'), of('release')];
  const agreed = legs.map(describe).toSorted();
  const wrong: string[] = [];
  if (executed.length > 0 && released.length > 0) wrong.push('some of it was executed and some released');
  if (end.phase === 'settled') {
    if (held.join() !== agreed.join()) wrong.push(`settled, and held were ${held.join('; ') || 'none'}`);
    if (executed.join() !== agreed.join()) wrong.push(`settled, and executed were ${executed.join('; ') || 'none'}`);
    return wrong;
  }
  if (executed.length > 0) wrong.push(`${end.phase}, and executed were ${executed.join('; ')}`);
  if (held.join() !== released.join())
    wrong.push(
      `${end.phase}, and held were ${held.join('; ') || 'none'}, but released ${released.join('; ') || 'none'}`,
    );
  for (const one of held) if (!agreed.includes(one)) wrong.push(`held was ${one}, which nobody agreed`);
  return wrong;
}

/** What participants do by themselves: one payment at most, and one delivery versus payment if and only if it settled. */
function judgeDomestic({ tradeId, domestic, end }: Trade, own: readonly Effect[]): string[] {
  const ours = own.filter(({ trade }) => trade === tradeId);
  const paid = ours.filter(({ verb }) => verb === 'transfer').map(({ leg }) => describe(leg));
  const delivered = ours
    .filter(({ verb }) => verb === 'dvp')
    .map(({ leg, cash }) => `${describe(leg)} against ${describe(cash)}`);
  const payment = domestic ? [describe(domestic.payment)] : [];
  const delivery = domestic ? [`${describe(domestic.delivery[0])} against ${describe(domestic.delivery[1])}`] : [];
  const settled = end.phase === 'settled';
  const wrong: string[] = [];
  if (paid.join() !== payment.join() && (settled || paid.length > 0))
    wrong.push(`${end.phase}, and paid were ${paid.join('; ') || 'none'}`);
  if (delivered.join() !== (settled ? delivery.join() : ''))
    wrong.push(`${end.phase}, and delivered were ${delivered.join('; ') || 'none'}`);
  return wrong;
}

/** Each operation id at most once in a system, and each hold closed at most once. */
function judgeOnce(effects: readonly Effect[]): string[] {
  const repeated = (
    what: string,
    only: (effect: Effect) => boolean,
    key: (effect: Effect) => string | undefined,
  ): string[] =>
    [...groupBy(effects.filter(only), (effect) => `${effect.system} ${key(effect)}`)].flatMap(([name, group]) =>
      group.length === 1 ? [] : [`${what} ${name} ${group.length} times: ${group.map(({ verb }) => verb).join(', ')}`],
    );
  return [
    ...repeated(
      'the operation took effect',
      (effect) => effect.operation !== undefined,
      (effect) => effect.operation,
    ),
    ...repeated(
      'the hold was closed',
      (effect) => effect.verb === 'execute' || effect.verb === 'release',
      (effect) => effect.hold,
    ),
  ];
}

function judgePositions(
  trades: readonly Trade[],
  own: readonly Effect[],
  positions: readonly Position[],
  opening: Opening,
): string[] {
  const expected = new Map(opening);
  const add = (name: string, amount: bigint): unknown => expected.set(name, (expected.get(name) ?? 0n) + amount);
  const settled = trades
    .filter((trade) => trade.end.phase === 'settled')
    .flatMap(({ legs, domestic }) => [...legs, ...(domestic?.delivery ?? [])]);
  // A payment is the participants' own: it stays where it is, whatever becomes of the trade.
  const paid = own.flatMap(({ verb, leg }) => (verb === 'transfer' && leg ? [leg] : []));
  for (const { system, from, to, asset, amount } of [...settled, ...paid]) {
    add(`${system} ${from} ${asset}`, -amount);
    add(`${system} ${to} ${asset}`, amount);
  }
  const wrong: string[] = [];
  for (const { system, account, asset, balance, held, free } of positions) {
    const name = `${system} ${account} ${asset}`;
    const wanted = expected.get(name) ?? 0n;
    if (balance !== wanted) wrong.push(`${name}: the balance is ${balance}, and settled trades make it ${wanted}`);
    if (held !== 0n) wrong.push(`${name}: ${held} is still held`);
    if (free !== balance - held) wrong.push(`${name}: ${free} is free of ${balance}`);
    expected.delete(name);
  }
  for (const [name, amount] of expected)
    if (amount !== 0n) wrong.push(`${name}: there is no such position, and ${amount} belong there`);
  return [...wrong, ...judgeTotals(positions, opening)];
}

function judgeTotals(positions: readonly Position[], opening: Opening): string[] {
  const totals = new Map<string, bigint>();
  const add = (name: string, amount: bigint): unknown => totals.set(name, (totals.get(name) ?? 0n) + amount);
  for (const { system, asset, balance } of positions) add(`${system} ${asset}`, balance);
  for (const [name, amount] of opening) add(`${name.split(' ')[0] ?? ''} ${name.split(' ')[2] ?? ''}`, -amount);
  return [...totals].flatMap(([name, difference]) =>
    difference === 0n ? [] : [`${name}: ${difference} too much in all accounts together`],
  );
}

function describe(leg: Leg | undefined): string {
  return leg ? `${leg.amount} ${leg.asset} from ${leg.system}:${leg.from} to ${leg.to}` : 'something unknown';
}

function groupBy<K>(effects: readonly Effect[], key: (effect: Effect) => K): Map<K, Effect[]> {
  const groups = new Map<K, Effect[]>();
  for (const effect of effects) groups.set(key(effect), [...(groups.get(key(effect)) ?? []), effect]);
  return groups;
}
