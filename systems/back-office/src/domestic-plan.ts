/** What moves: account ids of the system, an asset, and whole minor units or pieces in a decimal string. */
export type Leg = { readonly from: string; readonly to: string; readonly asset: string; readonly amount: string };

type Common = {
  /** The participant's client in the system. */
  readonly by: string;
  /** The name of the moment at which it is done; whoever runs the plan says when that is. */
  readonly when: string;
  /** The business reference that the participants agreed. */
  readonly trade: string;
};

/** A payment. `all` as amount is everything that is free on the account then. */
export type PayStep = Common & Leg & { readonly do: 'pay' };

/** One side's DvP instruction; `hold` has it wait in the system (ISO 20022 HldInd). */
export type LodgeStep = Common & {
  readonly do: 'lodge-dvp';
  readonly security: Leg;
  readonly cash: Leg;
  readonly hold: boolean;
};

export type Step = PayStep | LodgeStep;

/** What participants do in one system by themselves, in order. */
export type DomesticPlan = { readonly system: string; readonly steps: readonly Step[] };

/** @throws TypeError naming the member that is missing, wrong or unknown. */
export function readPlan(document: unknown): DomesticPlan {
  const plan = membersOf(document, '', ['system', 'steps']);
  const steps = plan['steps'];
  if (!Array.isArray(steps)) throw new TypeError('/steps must be a list');
  const values: readonly unknown[] = steps;
  return { system: textIn(plan, '', 'system'), steps: values.map((step, index) => readStep(step, `/steps/${index}`)) };
}

const COMMON = ['by', 'when', 'do', 'trade'] as const;
const LEG = ['from', 'to', 'asset', 'amount'] as const;

function readStep(document: unknown, at: string): Step {
  const isLodging = isObject(document) && document['do'] === 'lodge-dvp';
  const step = membersOf(document, at, [...COMMON, ...(isLodging ? ['security', 'cash', 'hold'] : LEG)]);
  const common = { by: textIn(step, at, 'by'), when: textIn(step, at, 'when'), trade: textIn(step, at, 'trade') };
  if (isLodging) {
    const { security, cash, hold } = step;
    if (typeof hold !== 'boolean') throw new TypeError(`${at}/hold must be true or false`);
    const legs = { security: readLeg(security, `${at}/security`), cash: readLeg(cash, `${at}/cash`) };
    return { ...common, do: 'lodge-dvp', ...legs, hold };
  }
  if (step['do'] !== 'pay') throw new TypeError(`${at}/do must be pay or lodge-dvp`);
  return { ...common, do: 'pay', ...legIn(step, at) };
}

function readLeg(document: unknown, at: string): Leg {
  return legIn(membersOf(document, at, LEG), at);
}

function legIn(members: Record<string, unknown>, at: string): Leg {
  const [from, to, asset, amount] = [...LEG.map((name) => textIn(members, at, name)), '', '', '', ''];
  return { from, to, asset, amount };
}

function membersOf(document: unknown, at: string, names: readonly string[]): Record<string, unknown> {
  if (!isObject(document)) throw new TypeError(`${at || '/'} must be an object`);
  const stranger = Object.keys(document).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new TypeError(`${at}/${stranger} is not a known member`);
  return document;
}

function textIn(members: Record<string, unknown>, at: string, name: string): string {
  const value = members[name];
  if (typeof value !== 'string' || value === '') throw new TypeError(`${at}/${name} must be a text`);
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
