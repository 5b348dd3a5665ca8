import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { softHsmModule } from '../test/hsm/soft-hsm.ts';

/** `npm run test:hsm`: signs with keys in a SoftHSM token, alone and on a Fabric network. */
function main(): number {
  const isMissing = spawnSync('softhsm2-util', ['--version']).error !== undefined;
  if (isMissing || softHsmModule === undefined) {
    console.error(
      'These tests need SoftHSM 2: install it with apt-get install softhsm2, dnf install softhsm or brew install softhsm, or name its module in SOFTHSM_MODULE.',
    );
    return 1;
  }
  const tests = fileURLToPath(new URL('test.ts', import.meta.url));
  return spawnSync(process.execPath, [tests, 'test/hsm/'], { stdio: 'inherit' }).status ?? 1;
}

process.exitCode = main();
