import type { Command } from '../command.ts';
import { fail } from '../failure.ts';

export const completion: Command = {
  name: 'completion',
  usage: 'bash|zsh|fish',
  summary: 'a script that makes the Tab key complete commands, options, ids and names',
  arguments: [1, 1],
  options: {},
  worksWithoutApi: true,
  completes: { positionals: [() => ['bash', 'zsh', 'fish']] },
  help: [
    'Load it in the shell; from then on Tab completes commands and options, and asks the network of the profile for trade ids, scenarios,',
    'systems and operations. Where the network gives no answer within a second, nothing is completed and nothing is said.',
    '',
    'Examples:',
    '  linkspan completion bash > ~/.local/share/bash-completion/completions/linkspan',
    '  linkspan completion zsh > ~/.zfunc/_linkspan',
    '  linkspan completion fish > ~/.config/fish/completions/linkspan.fish',
  ],
  async run({ positionals: [shell = ''] }) {
    const script = SCRIPTS[shell];
    if (script === undefined)
      return fail('request-invalid', 'Say bash, zsh or fish.', `There is no script for ${shell}`);
    return { ok: true, value: { document: { shell, script: script.join('\n') }, lines: script } };
  },
};

const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  // Bash gives words broken at : and @ too, and replaces only what follows the last break; ids and scenarios have both, so the words are read
  // from the line itself and what stands before the break is taken off the answers.
  bash: [
    '_linkspan() {',
    '  local line="${COMP_LINE:0:COMP_POINT}" words found begun breaks before=""',
    '  read -r -a words <<< "$line"',
    '  if [[ "$line" == *[[:space:]] ]]; then words+=(""); fi',
    '  begun="${words[${#words[@]}-1]}"',
    '  breaks="${COMP_WORDBREAKS//[^@:=]/}"',
    '  if [[ -n "$breaks" && "$begun" == *[$breaks]* ]]; then before="${begun%"${begun##*[$breaks]}"}"; fi',
    '  mapfile -t found < <("${COMP_WORDS[0]}" __complete "${words[@]:1}" 2>/dev/null)',
    '  COMPREPLY=("${found[@]#"$before"}")',
    '}',
    'complete -o default -F _linkspan linkspan',
  ],
  zsh: [
    '#compdef linkspan',
    '_linkspan() {',
    '  local -a found',
    '  found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")',
    '  found=("${(@)found:#}")',
    '  if (( ${#found} )); then compadd -a found; else _files; fi',
    '}',
    'if [[ "${funcstack[1]}" == _linkspan ]]; then _linkspan "$@"; else compdef _linkspan linkspan; fi',
  ],
  fish: [
    'function __linkspan_complete',
    '    set -l words (commandline -opc) (commandline -ct)',
    '    linkspan __complete $words[2..-1] 2>/dev/null',
    'end',
    "complete -c linkspan -f -a '(__linkspan_complete)'",
    "complete -c linkspan -n 'not __linkspan_complete | string length -q' -F",
  ],
};
