import { accept, type CallBody, callBodySchema, parse, type Problem, refuse, type Result } from '@linkspan/protocol';

/** What an organisation registers at start: a list of calls, each in its own form. */
export function parseRegister(value: unknown): Result<CallBody[]> {
  if (!Array.isArray(value)) return refuse('configuration-invalid', 'A list of calls is needed.');
  const bodies: CallBody[] = [];
  const problems: Problem[] = [];
  for (const [i, one] of value.entries()) {
    const body = parse(callBodySchema, one, 'configuration-invalid');
    if (body.ok) bodies.push(body.value);
    else problems.push(...(body.refusal.problems ?? []).map((each) => ({ ...each, pointer: `/${i}${each.pointer}` })));
  }
  return problems.length === 0
    ? accept(bodies)
    : refuse('configuration-invalid', 'Calls have the wrong form.', { problems });
}
