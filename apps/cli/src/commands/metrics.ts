import { ENDPOINTS } from '@linkspan/protocol';
import { silence } from '../api-client.ts';
import type { Command } from '../command.ts';
import { fail, readProblem } from '../failure.ts';
import { table } from '../table.ts';
import { plain } from '../terminal.ts';

export const metrics: Command = {
  name: 'metrics',
  usage: '[--text]',
  summary: 'what an organisation measures: settlements, holds, latencies, ledger lag',
  arguments: [0, 0],
  options: { text: { type: 'boolean' } },
  help: [
    'Of what is measured in buckets, the number and the mean are shown. docs/reference/metrics.md says what each is.',
    '',
    '  --text  the text format of Prometheus, as the API gives it',
    '',
    'Examples:',
    '  linkspan metrics',
    '  linkspan metrics --organisation csd-b --text',
  ],
  async run({ api, terminal, options }) {
    let text: string;
    try {
      const opened = await api.open(ENDPOINTS.metrics.path, {});
      if (!opened.ok) return opened;
      const { statusCode: status, body } = opened.value;
      text = await body.text();
      const failure = status >= 300 ? readProblem(parseJson(text)) : undefined;
      if (failure) return { ok: false, failure };
      if (status >= 300) return fail('internal', `It answered HTTP ${status}.`, `${api.url} gives no measurements`);
    } catch (error) {
      return { ok: false, failure: silence(api.url, error) };
    }
    if (options['text'] === true)
      return { ok: true, value: { document: { text }, lines: text.trimEnd().split('\n').map(plain) } };
    const samples = readSamples(text);
    const rows = shownRows(samples).map(({ name, labels, value }) => [
      name.replace(/^linkspan_/, ''),
      Object.entries(labels)
        .map(([label, each]) => `${label}=${each}`)
        .join(' '),
      value,
    ]);
    return { ok: true, value: { document: { samples }, lines: table(terminal, COLUMNS, rows) } };
  },
};

const COLUMNS = [
  { title: 'measurement', cut: true },
  { title: 'of', cut: true },
  { title: 'value', align: 'right' },
] as const;

type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
};

/** Lines of the text format 0.0.4 of Prometheus. */
function readSamples(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', each = '']) => [label, each]);
    return [{ name, labels: Object.fromEntries(pairs), value }];
  });
}

/** Histograms by number and mean, everything else as it is. */
function shownRows(samples: readonly Sample[]): Sample[] {
  const key = ({ labels }: Sample, name: string): string => JSON.stringify([name, labels]);
  const sums = new Map(
    samples.flatMap((sample) =>
      sample.name.endsWith('_sum') ? [[key(sample, sample.name.slice(0, -4)), Number(sample.value)] as const] : [],
    ),
  );
  return samples.flatMap((sample) => {
    if (sample.name.endsWith('_bucket') || sample.name.endsWith('_sum')) return [];
    const base = sample.name.replace(/_count$/, '');
    const sum = sample.name === base ? undefined : sums.get(key(sample, base));
    if (sum === undefined) return [sample];
    const count = Number(sample.value);
    const mean = count === 0 ? '' : `, mean ${(sum / count).toFixed(3)}`;
    return [{ ...sample, name: base, value: `${count} ${count === 1 ? 'time' : 'times'}${mean}` }];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
