/** Where two JSON values first differ, as a JSON pointer with both texts; undefined where they are equal. Members that are undefined do not count. */
export type Difference = { readonly where: string; readonly claimed: string; readonly right: string };

/** `right` was computed here, so its depth bounds how deep this goes, whatever was claimed. */
export function firstDifference(claimed: unknown, right: unknown, at = ''): Difference | undefined {
  if (claimed === right) return undefined;
  if (Array.isArray(claimed) && Array.isArray(right)) {
    const length = Math.max(claimed.length, right.length);
    for (let i = 0; i < length; i++) {
      const difference = firstDifference(claimed[i], right[i], `${at}/${i}`);
      if (difference) return difference;
    }
    return undefined;
  }
  if (!isObject(claimed) || !isObject(right)) return { where: at, claimed: shown(claimed), right: shown(right) };
  for (const name in right) {
    const difference = firstDifference(claimed[name], right[name], `${at}/${name}`);
    if (difference) return difference;
  }
  for (const name in claimed) {
    if (claimed[name] !== undefined && !Object.hasOwn(right, name))
      return { where: `${at}/${name}`, claimed: shown(claimed[name]), right: shown(undefined) };
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
