import { listOf, recordOf, type Schemas } from './schema-values.ts';

/** One operation of an API, as its OpenAPI document describes it. */
export type ApiOperation = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: unknown;
  }[];
  readonly body: unknown;
  readonly example: unknown;
  /** By status; the schema of a JSON answer, or undefined where it has another type. */
  readonly answers: ReadonlyMap<string, { readonly media: string; readonly schema: unknown }>;
};

export type ApiDescription = { readonly operations: readonly ApiOperation[]; readonly schemas: Schemas };

/** Reads an OpenAPI 3.1 document. */
export function readDescription(document: unknown): ApiDescription {
  const { paths, components } = recordOf(document);
  const operations = Object.entries(recordOf(paths)).flatMap(([path, methods]) =>
    Object.entries(recordOf(methods)).map(([method, operation]) => readOperation(path, method, recordOf(operation))),
  );
  return { operations, schemas: recordOf(recordOf(components)['schemas']) };
}

function readOperation(path: string, method: string, operation: Readonly<Record<string, unknown>>): ApiOperation {
  const body = recordOf(recordOf(recordOf(operation['requestBody'])['content'])['application/json']);
  const parameters = listOf(operation['parameters']).map(recordOf);
  return {
    id: typeof operation['operationId'] === 'string' ? operation['operationId'] : `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    parameters: parameters.map(({ name, in: where, required, schema }) => ({
      name: String(name),
      in: String(where),
      required: required === true,
      schema,
    })),
    body: body['schema'],
    example: body['example'],
    answers: new Map(
      Object.entries(recordOf(operation['responses'])).map(([status, response]) => {
        const [media = '', content] = Object.entries(recordOf(recordOf(response)['content']))[0] ?? [];
        return [status, { media, schema: recordOf(content)['schema'] }];
      }),
    ),
  };
}
