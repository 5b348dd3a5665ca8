// Loaded into every process of the local network before its own code: when the supervisor is gone, however it ended, the pipe on standard
// input closes, and the process asks itself to end as a signal would. One that does not follow is ended without being asked again.
const PATIENCE_MS = 8000;

process.stdin.on('error', () => undefined);
process.stdin.on('close', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
});
process.stdin.resume();
if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
