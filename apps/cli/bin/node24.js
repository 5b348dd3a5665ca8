// Runs one of our programs on Node 24: on this Node where it is new enough, otherwise on the one that npm ci installed for this platform.
// Plain JavaScript without imports of ours, because an old Node reads it. Usage: node apps/cli/bin/node24.js SCRIPT [ARGUMENTS]
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_NEEDED = 24;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PACKAGES = [
  `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
  `node-bin-${process.platform}-${process.arch}`,
];

/**
 * @param {string} script
 * @param {string[]} args
 */
export async function runOnNode24(script, args) {
  if (!existsSync(resolve(ROOT, 'node_modules/@linkspan')))
    return refuse('The dependencies are not installed: run npm ci first.');
  if (Number(process.versions.node.split('.')[0]) >= NODE_NEEDED) {
    process.argv = [process.execPath, script, ...args];
    await import(pathToFileURL(script).href);
    return;
  }
  const binary = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  const node = PACKAGES.map((name) => resolve(ROOT, 'node_modules', name, binary)).find((path) => existsSync(path));
  if (node === undefined) {
    return refuse(
      `Linkspan runs on Node ${NODE_NEEDED}; this is Node ${process.versions.node}, and npm ci found no newer one for ${process.platform} ${process.arch}.`,
    );
  }
  const child = spawn(node, [script, ...args], { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches both; a signal to this process alone is passed on, and its end is the child's to decide.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => void (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  process.exitCode = await new Promise((end) => child.once('exit', (code, signal) => end(signal === null ? code : 1)));
}

/** @param {string} sentence */
function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}

const [, self, script, ...args] = process.argv;
if (self !== undefined && script !== undefined && resolve(self) === fileURLToPath(import.meta.url))
  await runOnNode24(resolve(script), args);
