import { checkBic } from './bic.ts';
import type { ProblemCode } from './errors.ts';
import { parseDate, parseInstant } from './instant.ts';
import { dvpInstructionSchema } from './instruction.ts';
import { checkIsin } from './isin.ts';
import { checkLei } from './lei.ts';
import { checkCurrency, type Money, parseAmount } from './money.ts';
import { problemsOf } from './parse.ts';
import type { Parsed, Unparsed } from './parsed.ts';
import { applyRate, checkRateCurrencies, checkRateValue, type ExchangeRate, ROUNDINGS } from './rate.ts';
import { recentMap } from './recent-map.ts';
import { type Problem, problem } from './refusal.ts';
import { type AccountRecord, type InstrumentRecord, systemOfAccount } from './records.ts';
import type { Register } from './register.ts';

/**
 * Everything that is wrong with an Inputfile, all at once, each at its JSON pointer (report section 3.3.2, ISO reasons in the table).
 * A missing field hides no other field's problem: a check is skipped only when a value that it needs is reported already.
 * `now` is the ledger's time in UTC milliseconds.
 */
export function checkInstruction(input: unknown, register: Register, now: number): Problem[] {
  const checks = new Checks(input, register, now);
  checks.shape();
  checks.identifiers();
  checks.amounts();
  checks.times();
  checks.registered();
  checks.tradeId();
  return checks.problems;
}

const PARTIES = ['/seller', '/buyer', '/intermediary'] as const;

/** One pass over one instruction. Values are read by pointer from whatever came in, so half an instruction can be checked too. */
class Checks {
  readonly problems: Problem[] = [];
  readonly #input: unknown;
  readonly #register: Register;
  readonly #now: number;

  constructor(input: unknown, register: Register, now: number) {
    this.#input = input;
    this.#register = register;
    this.#now = now;
  }

  shape(): void {
    const parsed = dvpInstructionSchema.safeParse(this.#input);
    if (parsed.success) return;
    for (const each of problemsOf(parsed.error, this.#input)) {
      const account = each.code === 'type-wrong' && /\/accounts\/[a-z]+$/.test(each.pointer);
      this.problems.push(account ? problem(each.pointer, 'account-malformed', each.message) : each);
    }
  }

  identifiers(): void {
    this.#check('/security/isin', checkIsin);
    for (const party of PARTIES) {
      this.#check(`${party}/lei`, checkLei);
      this.#check(`${party}/bic`, checkBic);
    }
  }

  amounts(): void {
    const quantity = this.#text('/security/quantity');
    if (quantity !== undefined && !/^[1-9][0-9]{0,17}$/.test(quantity)) {
      this.#report(
        '/security/quantity',
        'quantity-malformed',
        `"${quantity.slice(0, 40)}" is not a positive whole number of at most 18 digits.`,
      );
    }
    const lcy = this.#money('/lcy');
    const fcy = this.#money('/fcy');
    const rate = this.#rate();
    const between = this.#rateCurrencies();
    if (!lcy || !fcy || !rate || !between) return;
    const agreed = applyRate(rate, { '/lcy': lcy, '/fcy': fcy });
    if (!agreed.ok) this.#failed('/rate', agreed);
  }

  times(): void {
    const deadline = this.#instant('/deadline');
    if (deadline !== undefined && deadline <= this.#now)
      this.#report('/deadline', 'deadline-passed', `The deadline ${this.#text('/deadline')} has passed.`);
    const validUntil = this.#instant('/rate/validUntil');
    if (validUntil !== undefined && validUntil <= this.#now)
      this.#report('/rate/validUntil', 'rate-expired', `The rate was valid until ${this.#text('/rate/validUntil')}.`);
    const date = this.#text('/settlementDate');
    if (date === undefined) return;
    if (!this.#check('/settlementDate', parseDate)) return;
    // The deadline carries the offset of the market that settles, so its own date is the settlement date there.
    const text = this.#text('/deadline');
    if (deadline !== undefined && text !== undefined && !text.startsWith(date)) {
      this.#report('/settlementDate', 'date-disagrees', `The deadline ${text} is not on ${date}.`);
    }
  }

  registered(): void {
    const isin = this.#text('/security/isin');
    if (isin !== undefined) {
      const instrument = this.#register.instrument(isin);
      const unit = this.#text('/security/unit');
      if (!instrument) this.#report('/security/isin', 'instrument-unknown', `No instrument ${isin} is registered.`);
      else this.#keptWhere(instrument);
      if (instrument && unit !== undefined && unit !== instrument.unit)
        this.#report('/security/unit', 'unit-wrong', `${isin} is counted in ${instrument.unit}.`);
    }
    for (const party of PARTIES) this.#party(party);
    this.#sameSystem('/seller/accounts/security', '/buyer/accounts/security');
    this.#sameSystem('/intermediary/accounts/lcy', '/seller/accounts/lcy');
    this.#sameSystem('/buyer/accounts/fcy', '/intermediary/accounts/fcy');
    this.#scenario();
  }

  /** A security moves in the system that keeps it. */
  #keptWhere({ isin, system }: InstrumentRecord): void {
    const pointer = '/seller/accounts/security';
    const account = this.#text(pointer);
    if (account !== undefined && systemOfAccount(account) !== system)
      this.#report(pointer, 'account-asset-differs', `${isin} is kept in ${system}.`);
  }

  tradeId(): void {
    const tradeId = this.#text('/tradeId');
    const lodgers = this.#lodgers();
    if (tradeId === undefined || !lodgers) return;
    if (this.#register.tradeIdUsed(tradeId, lodgers)) {
      this.#report(
        '/tradeId',
        'trade-id-used',
        `A settlement among ${lodgers.join(' and ')} has used the trade id ${tradeId}.`,
      );
    }
  }

  #party(pointer: (typeof PARTIES)[number]): void {
    const lei = this.#text(`${pointer}/lei`);
    if (lei !== undefined) {
      const party = this.#register.party(lei);
      if (!party) this.#report(`${pointer}/lei`, 'party-unknown', `No party with the LEI ${lei} is registered.`);
      else {
        this.#particular(`${pointer}/party`, party.name);
        this.#particular(`${pointer}/bic`, party.bic);
      }
    }
    const accounts = valueAt(this.#input, `${pointer}/accounts`);
    if (typeof accounts !== 'object' || accounts === null) return;
    for (const role of Object.keys(accounts)) this.#account(`${pointer}/accounts/${role}`, role, lei);
  }

  #particular(pointer: string, registered: string): void {
    const value = this.#text(pointer);
    if (value !== undefined && value !== registered)
      this.#report(pointer, 'party-differs', `The party is registered as "${registered}".`);
  }

  #account(pointer: string, role: string, lei: string | undefined): void {
    const id = this.#text(pointer);
    if (id === undefined) return;
    const account = this.#register.account(id);
    if (!account) {
      const code = role === 'security' ? 'safekeeping-account-unknown' : 'account-unknown';
      this.#report(pointer, code, `No account ${id} is registered.`);
      return;
    }
    if (lei !== undefined && account.party !== lei)
      this.#report(pointer, 'account-of-another-party', `${id} belongs to the party ${account.party}.`);
    this.#holds(pointer, role, account);
  }

  #holds(pointer: string, role: string, account: AccountRecord): void {
    const asset = role === 'security' ? 'securities' : this.#text(`/${role}/currency`);
    if (asset !== undefined && !account.assets.includes(asset))
      this.#report(pointer, 'account-asset-differs', `${account.id} does not hold ${asset}.`);
  }

  #sameSystem(from: string, to: string): void {
    const [a, b] = [this.#text(from), this.#text(to)];
    if (a !== undefined && b !== undefined && systemOfAccount(a) !== systemOfAccount(b)) {
      this.#report(to, 'account-system-differs', `${b} is not in the system of ${a}; one leg moves within one system.`);
    }
  }

  #scenario(): void {
    const reference = this.#text('/scenario');
    if (reference === undefined) return;
    const scenario = this.#register.scenario(reference);
    const schema: string | undefined = scenario?.document.instruction;
    if (!scenario) this.#report('/scenario', 'scenario-unknown', `No scenario ${reference} is registered.`);
    else if (schema !== 'dvp/1') {
      this.#report('/scenario', 'scenario-takes-another-schema', `${reference} takes ${schema}.`);
    } else {
      if (scenario.retired === true)
        this.#report('/scenario', 'scenario-retired', `${reference} takes no new instructions.`);
      this.#approvals(reference, scenario.approvals);
      this.#windows();
    }
  }

  #approvals(reference: string, approvals: readonly string[]): void {
    const owners = this.#systems().flatMap((id) => this.#register.system(id)?.owner ?? []);
    const missing = [...new Set(owners)].filter((owner) => !approvals.includes(owner));
    if (missing.length > 0)
      this.#report('/scenario', 'scenario-not-approved', `${reference} is not approved by ${missing.join(' and ')}.`);
  }

  /** The systems that the three legs move in. */
  #systems(): string[] {
    const accounts = ['/buyer/accounts/fcy', '/seller/accounts/security', '/seller/accounts/lcy'].map((pointer) =>
      stringAt(this.#input, pointer),
    );
    return [...new Set(accounts.flatMap((account) => (account === undefined ? [] : [systemOfAccount(account)])))];
  }

  /** A deadline when a system is closed cannot be met there: better to say so before anything starts. */
  #windows(): void {
    const deadline = this.#instant('/deadline', 'quietly');
    if (deadline === undefined) return;
    for (const id of this.#systems()) {
      const windows = this.#register.system(id)?.windows ?? [];
      if (windows.length > 0 && !windows.some(({ from, to }) => deadline > from && deadline <= to && to > this.#now)) {
        this.#report('/deadline', 'deadline-infeasible', `${id} is closed at the deadline.`);
      }
    }
  }

  /** The organisations that speak for the debited sides, where every party is known. */
  #lodgers(): string[] | undefined {
    const scenario = this.#register.scenario(stringAt(this.#input, '/scenario') ?? '');
    const parties = scenario?.document.exchange.map((exchange) => exchange.party) ?? PARTIES;
    const organisations = parties.map(
      (pointer) => this.#register.party(stringAt(this.#input, `${pointer}/lei`) ?? '')?.organisation,
    );
    return organisations.every((organisation) => organisation !== undefined)
      ? [...new Set(organisations)].toSorted()
      : undefined;
  }

  #money(pointer: string): Money | undefined {
    const currency = this.#text(`${pointer}/currency`);
    const known = this.#check(`${pointer}/currency`, checkCurrency);
    const amount = this.#text(`${pointer}/amount`);
    if (amount === undefined) return undefined;
    const parsed = parseAmount(amount, currency ?? '');
    if (parsed.ok) return { amount: parsed.value, currency: currency ?? '' };
    // Without a currency there is still something to be said about the form of its amount.
    if (known || parsed.code === 'amount-malformed') this.#failed(`${pointer}/amount`, parsed);
    return undefined;
  }

  #rate(): ExchangeRate | undefined {
    const value = this.#text('/rate/value');
    const valid = this.#check('/rate/value', checkRateValue);
    const known = [this.#check('/rate/base', checkCurrency), this.#check('/rate/quote', checkCurrency)].every(Boolean);
    const [base, quote] = [this.#text('/rate/base'), this.#text('/rate/quote')];
    const of = this.#text('/rate/of');
    const rounding = ROUNDINGS.find((name) => name === this.#text('/rate/rounding'));
    if (!valid || !known || value === undefined || base === undefined || quote === undefined) return undefined;
    return rounding === undefined || (of !== '/lcy' && of !== '/fcy')
      ? undefined
      : { value, base, quote, of, rounding };
  }

  /** Whether the rate is between the currencies of the two amounts, which does not depend on how much they are. */
  #rateCurrencies(): boolean {
    const [base, quote] = [this.#text('/rate/base'), this.#text('/rate/quote')];
    if (base === undefined || quote === undefined) return false;
    const parsed = checkRateCurrencies(base, quote);
    if (!parsed.ok) this.#failed('/rate', parsed);
    const [lcy, fcy] = [this.#text('/lcy/currency'), this.#text('/fcy/currency')];
    if (!parsed.ok || lcy === undefined || fcy === undefined) return false;
    if ((base === lcy && quote === fcy) || (base === fcy && quote === lcy)) return true;
    this.#report(
      '/rate',
      'rate-currencies',
      `The rate is between ${base} and ${quote}, the amounts are in ${lcy} and ${fcy}.`,
    );
    return false;
  }

  #instant(pointer: string, quietly?: 'quietly'): number | undefined {
    const text = this.#text(pointer);
    if (text === undefined) return undefined;
    const parsed = parseInstant(text);
    if (!parsed.ok && !quietly) this.#failed(pointer, parsed);
    return parsed.ok ? parsed.value : undefined;
  }

  #check<T>(pointer: string, parse: (text: string) => Parsed<T>): boolean {
    const text = this.#text(pointer);
    if (text === undefined) return false;
    const parsed = parse(text);
    if (!parsed.ok) this.#failed(pointer, parsed);
    return parsed.ok;
  }

  #failed(pointer: string, parsed: Unparsed): void {
    this.#report(pointer, parsed.code, parsed.message);
  }

  #report(pointer: string, code: ProblemCode, message: string): void {
    this.problems.push(problem(pointer, code, message));
  }

  /** The text at a pointer, unless it is missing, no text, or reported already. */
  #text(pointer: string): string | undefined {
    const isReported = this.problems.length > 0 && this.problems.some((each) => each.pointer === pointer);
    return isReported ? undefined : stringAt(this.#input, pointer);
  }
}

function stringAt(input: unknown, pointer: string): string | undefined {
  const value = valueAt(input, pointer);
  return typeof value === 'string' ? value : undefined;
}

function valueAt(input: unknown, pointer: string): unknown {
  let at: unknown = input;
  for (const name of namesOf(pointer)) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}

/** The names that a pointer leads through. The checks ask for the same few dozen pointers of every instruction. */
function namesOf(pointer: string): readonly string[] {
  return POINTERS.get(pointer) ?? POINTERS.set(pointer, pointer.split('/').slice(1));
}

const POINTERS = recentMap<readonly string[]>(256);
