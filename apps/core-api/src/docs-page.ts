import { type Operation, openApiDocument } from './openapi.ts';

/** The API as one page that needs no script and no other host. */
export function docsPage(): string {
  const { info, paths, components } = openApiDocument();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const groups = GROUPS.map(([tag, title]) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    const articles = own.map(({ method, path, operation }) => article(method, path, operation));
    return `<section aria-labelledby="for-${tag}"><h2 id="for-${tag}">${title}</h2>${articles.join('')}</section>`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escape(name)}"><summary>${escape(name)}</summary>${json(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)}</title><style>${STYLE}</style></head>
<body><header><h1>${escape(info.title)}</h1><p>${escape(info.description)}</p>
<p><a href="/openapi.json">OpenAPI 3.1 document</a></p></header>
<main>${groups.join('')}<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>${schemas.join('')}</section></main></body></html>
`;
}

const GROUPS = [
  ['operators', 'For people and programs of the organisation'],
  ['organisations', 'For other organisations'],
  ['everyone', 'For everyone'],
] as const;

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --soft: #f2f4f7; --line: #8a94a3; --link: #0b57c2; }
@media (prefers-color-scheme: dark) { :root { --text: #e8ebef; --back: #14171b; --soft: #1f242b; --line: #8a94a3; --link: #8ab8ff; } }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
a { color: var(--link); }
article, details { border-top: 1px solid var(--line); padding: .5rem 0; }
h3 { margin: .25rem 0; font: 600 1rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .125rem 1rem .125rem 0; }
`;

function article(method: string, path: string, operation: Operation): string {
  const { operationId, summary, parameters, requestBody, responses, security } = operation;
  const [scope] = Object.values(security[0] ?? {}).flat();
  const needs = scope === undefined ? '' : `<p>Scope: <code>${escape(scope)}</code></p>`;
  const rows = parameters.map(
    (each) =>
      `<tr><th scope="row">${escape(each.name)}</th><td>${each.in}${each.required ? ', required' : ''}</td><td>${escape(each.description ?? JSON.stringify(each.schema))}</td></tr>`,
  );
  const table = rows.length === 0 ? '' : `<table><caption hidden>Parameters</caption>${rows.join('')}</table>`;
  const [body] = Object.values(requestBody?.content ?? {});
  const example =
    body?.example === undefined ? '' : `<details><summary>Example</summary>${json(body.example)}</details>`;
  const answers = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const links = Object.values(content).map(({ schema }) => link(schema.$ref));
    return `<tr><th scope="row">${escape(status)}</th><td>${escape(description)} ${links.join(' ')}</td></tr>`;
  });
  return `<article id="${escape(operationId)}"><h3>${escape(method)} ${escape(path)}</h3><p>${escape(summary)}</p>${needs}${table}
${body ? `<p>Body: ${link(body.schema.$ref)}</p>${example}` : ''}<details><summary>Answers</summary><table>${answers.join('')}</table></details></article>`;
}

function link(reference: string | undefined): string {
  const name = reference?.split('/').at(-1);
  return name === undefined ? '' : `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
}

function json(value: unknown): string {
  return `<pre tabindex="0">${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
