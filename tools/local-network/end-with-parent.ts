// Loaded into every process of the local network before its own code: when the supervisor is gone, however it ended, the pipe on standard
// input closes, and the process asks itself to end as a signal would.
process.stdin.on('close', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
