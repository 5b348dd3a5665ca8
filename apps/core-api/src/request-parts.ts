import { accept, problem, refuse, type Result } from '@linkspan/protocol';

/** Where the same header came more than once it is no single text. */
export function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** Refuses every parameter of a query that is none of the allowed ones, by name. */
export function refuseParameters(query: unknown, allowed: readonly string[]): Result<null> {
  const names = typeof query === 'object' && query !== null ? Object.keys(query) : [];
  const unknown = names.filter((name) => !allowed.includes(name));
  if (unknown.length === 0) return accept(null);
  const problems = unknown.map((name) =>
    problem(`/${name}`, 'member-unknown', `There is no parameter "${name.slice(0, 64)}" here.`),
  );
  return refuse('request-invalid', problems.map(({ message }) => message).join(' '), { problems });
}
