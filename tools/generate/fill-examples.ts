/** A block of a document that is written by a program: its language and its text. */
export type Example = { readonly language: string; readonly text: string };

// Line by line, so that an empty block ends where it begins and takes nothing of what follows.
const MARKED = /(<!-- example: ([a-z0-9-]+) -->\n\n?)```[a-z]*\n(?:(?!```).*\n)*```(?=\n|$)/g;

/**
 * Replaces the code block after each `<!-- example: NAME -->` by what NAME stands for now, so that people write the document and programs its
 * examples. Throws where a document names an example that nobody makes.
 */
export function fillExamples(document: string, examples: Readonly<Record<string, Example>>): string {
  return document.replaceAll(MARKED, (_, mark: string, name: string) => {
    const example = examples[name];
    if (!example) throw new Error(`there is no example ${name}`);
    return `${mark}\`\`\`${example.language}\n${example.text}\n\`\`\``;
  });
}

/** The names of the examples that a document shows. */
export function examplesIn(document: string): string[] {
  return [...document.matchAll(MARKED)].map(([, , name = '']) => name);
}
