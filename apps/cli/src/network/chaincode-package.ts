import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type ChaincodePackage = { readonly id: string; readonly content: Buffer };

/**
 * A package that tells a peer where its chaincode listens. The same label and address always give the same bytes, so the id that a peer
 * will give the package is known before anything runs.
 */
export function chaincodePackage(label: string, address: string): ChaincodePackage {
  const connection = { address, dial_timeout: '10s', tls_required: false };
  const code = archive({ 'connection.json': Buffer.from(JSON.stringify(connection)) });
  const content = archive({
    'metadata.json': Buffer.from(JSON.stringify({ type: 'ccaas', label })),
    'code.tar.gz': code,
  });
  return { id: `${label}:${createHash('sha256').update(content).digest('hex')}`, content };
}

const BLOCK = 512;

/** A tar archive (POSIX ustar) of files without owner and time, compressed. */
function archive(files: Readonly<Record<string, Buffer>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => [
    header(name, content.length),
    content,
    Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
  ]);
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        0', 148);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
