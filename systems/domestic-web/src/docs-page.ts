import type { OpenApi, Operation } from './api-description.ts';

/** What the page may load: nothing but the style in it. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The API as one page, without scripts and without another host. */
export function docsPage({ info, paths, components }: OpenApi): string {
  const articles = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => article(method.toUpperCase(), path, operation)),
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<details id="${escape(name)}"><summary>${escape(name)}</summary>${json(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)}</title><style>${STYLE}</style></head>
<body><header><h1>${escape(info.title)}</h1><p>${escape(info.description)}</p>
<p><a href="/openapi.json">OpenAPI 3.1 document</a></p></header>
<main>${articles.join('\n')}<h2>Schemas</h2>${schemas.join('\n')}</main></body></html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8a94a3; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
article, details { border-top: 1px solid var(--line); padding: .5rem 0; }
h3 { margin: .25rem 0; font: 600 1rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; }
pre { padding: .75rem; overflow-x: auto; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .125rem 1rem .125rem 0; }
`;

function article(method: string, path: string, operation: Operation): string {
  const { summary, security, parameters, requestBody, responses } = operation;
  const needs = security.length === 0 ? 'No token is needed.' : 'A bearer token is needed.';
  const rows = parameters.map(
    (each) =>
      `<tr><th scope="row">${escape(each.name)}</th><td>${each.in}${each.required ? ', required' : ''}</td><td>${escape(JSON.stringify(each.schema))}</td></tr>`,
  );
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([media, { schema }]) => `<p>Body: ${escape(media)} ${linkOrJson(schema)}</p>`,
  );
  const answers = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const forms = Object.values(content).map(({ schema }) => linkOrJson(schema));
    return `<tr><th scope="row">${escape(status)}</th><td>${escape(description)} ${forms.join(' ')}</td></tr>`;
  });
  return `<article><h3>${method} ${escape(path)}</h3><p>${escape(summary)}. ${needs}</p><table>${rows.join('')}</table>
${bodies.join('')}<details><summary>Answers</summary><table>${answers.join('')}</table></details></article>`;
}

function linkOrJson(schema: Readonly<Record<string, unknown>>): string {
  const name = typeof schema['$ref'] === 'string' ? schema['$ref'].split('/').at(-1) : undefined;
  return name === undefined ? escape(JSON.stringify(schema)) : `<a href="#${escape(name)}">${escape(name)}</a>`;
}

function json(value: unknown): string {
  return `<pre tabindex="0">${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
