/**
 * Loaded before a program (`--import FILE?ms=600000`), makes its clock wrong by so much: what an organisation's machine does whose time is not kept. Timers run
 * as they do.
 */
const offMs = Number(new URL(import.meta.url).searchParams.get('ms'));
const RightDate = Date;

function now(): number {
  return RightDate.now() + offMs;
}

globalThis.Date = new Proxy(RightDate, {
  construct: (date, args, target) => Reflect.construct(date, args.length === 0 ? [now()] : args, target),
  get: (date, name, receiver) => (name === 'now' ? now : Reflect.get(date, name, receiver)),
});
