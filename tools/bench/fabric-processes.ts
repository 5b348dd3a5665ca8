import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const notedSchema = z.object({ name: z.string(), pid: z.number() });

/** The processes of a Fabric network as far as they have been started, by organisation and kind: `country-a peer`. */
export function processesOfNetwork(directory: string): ReadonlyMap<string, number> {
  const organisations = join(directory, 'organisations');
  if (!existsSync(organisations)) return new Map();
  return new Map(
    readdirSync(organisations).flatMap((organisation) => {
      const folder = join(organisations, organisation, 'processes');
      if (!existsSync(folder)) return [];
      return readdirSync(folder).map((file): [string, number] => {
        const { name, pid } = notedSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
        return [`${organisation} ${name}`, pid];
      });
    }),
  );
}
