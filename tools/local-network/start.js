// What `npm start` runs first: plain JavaScript without imports of ours, because it is there to say what is missing before anything can be imported.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_NEEDED = 24;
const [major = ''] = process.versions.node.split('.');

if (!existsSync(fileURLToPath(new URL('../../node_modules/@linkspan', import.meta.url)))) {
  refuse('The dependencies are not installed: run npm ci first.');
} else if (Number(major) < NODE_NEEDED) {
  refuse(
    `Linkspan runs on Node ${NODE_NEEDED}, and this is Node ${process.versions.node}: start it with npm start, which takes the one that npm ci installed, or install Node ${NODE_NEEDED}.`,
  );
} else {
  await import('../dev.ts');
}

/** @param {string} sentence */
function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
