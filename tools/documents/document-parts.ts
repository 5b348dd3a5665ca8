/** A fenced block of a document, and the line on which it begins. */
export type Block = { readonly language: string; readonly text: string; readonly line: number };

/** Every fenced block of a Markdown document. */
export function blocksIn(document: string): Block[] {
  return [...document.matchAll(/^```([a-z]*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language = '', 2: text = '' }) => ({
    language,
    text,
    line: document.slice(0, index).split('\n').length,
  }));
}

/** Every `npx linkspan …` of a document as its arguments, from blocks and from code in sentences, each once. */
export function linkspanCommandsIn(document: string): string[][] {
  const lines = [
    ...blocksIn(document).flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n')),
    ...[...document.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code),
  ];
  const found = lines.flatMap((line) => {
    const command = /^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*npx linkspan(?: (.*))?$/.exec(line);
    return command ? [argumentsOf(command[1] ?? '')] : [];
  });
  return [...new Map(found.map((args) => [args.join('\0'), args])).values()];
}

/** `npm …` commands of the blocks of a document. */
export function npmScriptsIn(document: string): string[] {
  const lines = blocksIn(document).flatMap(({ language, text }) => (language === 'json' ? [] : text.split('\n')));
  return lines.flatMap((line) =>
    [...line.matchAll(/\bnpm (?:run ([a-z:-]+)|(start|test)\b)/g)].map(([, run, short]) => run ?? short ?? ''),
  );
}

/** Calls of Node with one of our programs, which a Node before 22.18 does not read. */
export function plainTypeScriptIn(document: string): string[] {
  return [...document.matchAll(/(?<![\w./-])node (?:-\S+ )*[^\s`-][^\s`]*\.ts\b/g)].map(([call]) => call);
}

export type Link = { readonly text: string; readonly path: string; readonly anchor: string };

/** Links into this repository. */
export function linksIn(document: string): Link[] {
  return [...document.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g)]
    .map(([, text = '', target = '']) => ({ text, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map(({ text, target }) => ({ text, path: target.replace(/#.*/, ''), anchor: /#(.*)$/.exec(target)?.[1] ?? '' }));
}

/** The anchors that GitHub gives to the headings of a document. */
export function anchorsIn(document: string): string[] {
  return [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Words of a shell line; what follows a pipe, a redirection or a comment is another matter. */
function argumentsOf(line: string): string[] {
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => ({
    word: single ?? double ?? plain ?? '',
    isQuoted: plain === undefined,
  }));
  const end = words.findIndex(({ word, isQuoted }) => !isQuoted && /^([|>&;#]|<\()/.test(word));
  return words.slice(0, end === -1 ? undefined : end).map(({ word }) => word);
}
