import {
  type Change,
  type Difference,
  formatForPeople,
  never,
  parseAmount,
  REASONS,
  type Terms,
  type Verb,
} from '@linkspan/protocol';

/**
 * What people call organisations, the owners of accounts (`SYSTEM:account`), and operations by their ids, which only people's word is noted under. An id without
 * a name is shown as it is.
 */
export type Names = {
  readonly organisations: ReadonlyMap<string, string>;
  readonly accounts: ReadonlyMap<string, string>;
  readonly operations?: ReadonlyMap<string, string>;
};

/** One change in one line for an operator, in the words of the field: "rtgs: 1,000,000 JPY held for Kita Bank". */
export function describeChange(change: Change, names: Names): string {
  // Systems, instructions and names are others' text: none of it may break the line or steer a terminal.
  return inWords(change, names).replaceAll(/\p{C}|[\u2028\u2029]/gu, '\uFFFD');
}

function inWords(change: Change, names: Names): string {
  switch (change.what) {
    case 'lodged':
      return `${organisation(names, change.organisation)} lodged its instruction`;
    case 'retracted':
      return `${organisation(names, change.organisation)} took its instruction back`;
    case 'cancel-requested':
      return `${organisation(names, change.organisation)} asks to cancel`;
    case 'differs':
      return `the sides differ: ${differencesInWords(change.differences, names)}`;
    case 'matched':
      return 'both sides match';
    case 'requested':
      return `${change.system}: asked to ${ASKED[change.verb](legOf(change.terms, names))}`;
    case 'fence-requested':
      return `${change.system}: asked to fence ${change.operation}`;
    case 'effective':
      return `${change.system}: ${DONE[change.verb](legOf(change.terms, names))}${people(change.byPeople)}`;
    case 'irregular':
      return `${change.system}: ${DONE[change.verb](legOf(change.terms, names))}, but not as agreed (${change.operation})`;
    case 'dead':
      return `${change.system}: ${change.operation} cannot happen${change.byPeople ? ` (people's word: ${change.reason})` : reasonInWords(change.reason)}`;
    case 'called-for':
      return `${change.certificate} certificate called for`;
    case 'decided':
      return `decided: ${change.decision} - ${change.because}`;
    case 'residual':
      return `left open: ${change.residual}, ${legOf(change.terms, names).what}${withHolder(change.terms, names)}`;
    case 'attention':
      return `attention: ${[change.attention.operation, change.attention.reason].filter(Boolean).join(' ')}, waiting for ${change.attention.waitingFor}`;
    case 'evidence':
      return `evidence kept: ${change.kind} about ${change.operation}`;
    case 'opinion':
      return `${organisation(names, change.organisation)} (${change.actor}) says that ${names.operations?.get(change.operation) ?? change.operation} ${OPINIONS[change.status]}`;
    case 'phase':
      return `now ${change.to}`;
    default:
      return never(change);
  }
}

/** What a leg moves, from whom and to whom, as text. */
type Leg = {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly account: string;
  readonly event: string;
};
type Phrase = (leg: Leg) => string;

const ASKED: Readonly<Record<Verb, Phrase>> = {
  hold: ({ what, to }) => `hold ${what} for ${to}`,
  execute: ({ what, to }) => `execute ${what} for ${to}`,
  release: ({ what, from }) => `release ${what} to ${from}`,
  transfer: ({ what, to }) => `transfer ${what} to ${to}`,
  mint: ({ what, account }) => `mint ${what} for ${account}`,
  burn: ({ what, account }) => `burn ${what} of ${account}`,
  deliver: ({ what, to }) => `deliver ${what} to ${to}`,
  'settle-dvp': () => 'settle delivery versus payment',
  await: ({ from, to, event }) => `report the ${event} from ${from} to ${to}`,
};

const DONE: Readonly<Record<Verb, Phrase>> = {
  hold: ({ what, to }) => `${what} held for ${to}`,
  execute: ({ what, to }) => `${what} executed for ${to}`,
  release: ({ what, from }) => `${what} released to ${from}`,
  transfer: ({ what, to }) => `${what} transferred to ${to}`,
  mint: ({ what, account }) => `${what} minted for ${account}`,
  burn: ({ what, account }) => `${what} burnt of ${account}`,
  deliver: ({ what, to }) => `${what} delivered to ${to}`,
  'settle-dvp': () => 'delivery versus payment settled',
  await: ({ what, event, from, to }) => `${event} of ${what} from ${from} to ${to} seen`,
};

/** The filters that scenarios use, as people say them. */
const AWAITED: Readonly<Record<string, string>> = { 'cash-transfer': 'payment', dvp: 'delivery versus payment' };

const OPINIONS: Readonly<Record<'effective' | 'dead', string>> = { effective: 'took effect', dead: 'never happened' };

/** More than these would not be one line. */
const DIFFERENCES_SHOWN = 3;

function differencesInWords(differences: readonly Difference[], names: Names): string {
  const shown = differences.slice(0, DIFFERENCES_SHOWN).map(({ path, values }) => {
    const sides = Object.entries(values).map(
      ([id, value]) => `${organisation(names, id)} ${value === '' ? 'nothing' : `"${value}"`}`,
    );
    return `${path} (${sides.join(', ')})`;
  });
  const more = differences.length - shown.length;
  return shown.join('; ') + (more > 0 ? ` and ${more} more` : '');
}

function legOf(terms: Terms, names: Names): Leg {
  const account = (name: string): string => {
    const id = terms[name];
    return id === undefined ? 'an unknown account' : (names.accounts.get(id) ?? id);
  };
  return {
    what: whatMoves(terms),
    from: account('from'),
    to: account('to'),
    account: account('account'),
    event: AWAITED[terms['filter'] ?? ''] ?? 'event',
  };
}

/** What systems read back is shown as it is where it is not an amount after all. */
export function whatMoves({ amount, currency, quantity, isin }: Terms): string {
  if (amount !== undefined && currency !== undefined && quantity !== undefined && isin !== undefined) {
    return `${whatMoves({ quantity, isin })} against ${whatMoves({ amount, currency })}`;
  }
  if (amount !== undefined && currency !== undefined) {
    const minor = parseAmount(amount, currency);
    return `${minor.ok ? formatForPeople(minor.value, currency) : amount} ${currency}`;
  }
  if (quantity !== undefined && isin !== undefined) {
    const whole = /^[0-9]+$/.test(quantity) ? quantity.replaceAll(/\B(?=(?:[0-9]{3})+$)/g, ',') : quantity;
    return `${whole} ${isin}`;
  }
  return amount ?? quantity ?? 'something';
}

function withHolder(terms: Terms, names: Names): string {
  return terms['to'] === undefined ? '' : ` with ${legOf(terms, names).to}`;
}

function reasonInWords(reason: string): string {
  if (reason === '') return '';
  const words = REASONS[reason];
  return words === undefined ? `: ${reason}` : `: ${words} (${reason})`;
}

function people(byPeople: boolean): string {
  return byPeople ? " (people's word)" : '';
}

function organisation(names: Names, id: string): string {
  return names.organisations.get(id) ?? id;
}
