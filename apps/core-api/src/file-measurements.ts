import { basename } from 'node:path';
import type { FilesState } from '@linkspan/keys';
import { Gauge } from 'prom-client';

/** How long the certificates that this process presents are still valid. */
export function certificatesEnd(files: () => FilesState, now: () => number): Gauge {
  return new Gauge({
    name: 'linkspan_certificate_seconds_left',
    help: 'Time until a certificate that is presented ends, by the name of its file',
    labelNames: ['file'],
    registers: [],
    collect() {
      this.reset();
      for (const { file, endsAtMs } of files().certificates)
        this.set({ file: basename(file) }, (endsAtMs - now()) / 1000);
    },
  });
}

/** Whether renewed files wait for somebody to look at them. */
export function filesBroken(files: () => FilesState): Gauge {
  return new Gauge({
    name: 'linkspan_files_not_renewed',
    help: 'Renewed files (certificates, keys, secrets) that cannot be used, so that the former ones stay in use',
    registers: [],
    collect() {
      this.set(files().broken.length);
    },
  });
}
