import { statfsSync } from 'node:fs';
import { CannotRun } from './cannot-run.ts';

/** What a start and its samples write at most, with room to spare; and what is left when nothing more can be promised. */
const NEEDED_BYTES = 32 * 1024 ** 2;
const LAST_BYTES = 1024 ** 2;
const LOOK_AGAIN_MS = 1000;

/** Bytes that can still be written in a directory, as the operating system says. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** Throws CannotRun where there is too little room to begin. */
export function refuseLittleSpace(path: string, free: number): void {
  if (free < NEEDED_BYTES)
    throw new CannotRun(
      `${path} has only ${inMegabytes(free)} MB of free space, and the local network needs ${inMegabytes(NEEDED_BYTES)}.`,
    );
}

/**
 * Rejects when the room is used up, whoever used it. Some processes end by themselves then and some wait for better times, so that a settlement would
 * only seem slow.
 */
export function spaceUsedUp(
  path: string,
  read: (path: string) => number = freeBytes,
): { readonly failed: Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const timer = setInterval(() => {
    if (isUsedUp(read(path))) reject(noSpace(path));
  }, LOOK_AGAIN_MS);
  return { failed: promise, stop: () => clearInterval(timer) };
}

export function isUsedUp(free: number): boolean {
  return free < LAST_BYTES;
}

export function noSpace(path: string): CannotRun {
  return new CannotRun(`No space is left in ${path}: make room and start again, the data is whole.`);
}

function inMegabytes(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
