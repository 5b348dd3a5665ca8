/** JSON for people: whatever fits on a line of this width stands on one. */
export function compactJson(value: unknown, width = 110, indent = ''): string {
  const whole = spaced(value);
  if (indent.length + whole.length <= width || typeof value !== 'object' || value === null) return whole;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const parts = Array.isArray(value)
    ? value.map((one: unknown) => compactJson(one, width, inner))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${JSON.stringify(name)}: ${compactJson(member, width, inner)}`);
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
}

/** On one line, with a space where people expect one. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one: unknown) => spaced(one)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
