import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { chaincodePackage } from './chaincode-package.ts';

test('a package is the same whenever it is made, and its id is the hash of its bytes', () => {
  const made = chaincodePackage('linkspan_1', '127.0.0.1:7306');
  assert.deepEqual(chaincodePackage('linkspan_1', '127.0.0.1:7306'), made);
  assert.notEqual(chaincodePackage('linkspan_1', '127.0.0.1:7307').id, made.id);
  assert.equal(made.id, `linkspan_1:${createHash('sha256').update(made.content).digest('hex')}`);
});

test('it holds what a peer looks for, in archives with right checksums', () => {
  const { content } = chaincodePackage('linkspan_1', '127.0.0.1:7306');
  const outer = readTar(gunzipSync(content));
  assert.deepEqual(JSON.parse(String(outer.get('metadata.json'))), { type: 'ccaas', label: 'linkspan_1' });
  const inner = readTar(gunzipSync(outer.get('code.tar.gz') ?? Buffer.alloc(0)));
  const connection = JSON.parse(String(inner.get('connection.json')));
  assert.deepEqual(connection, { address: '127.0.0.1:7306', dial_timeout: '10s', tls_required: false });
});

function readTar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; bytes[at] !== 0;) {
    const header = Buffer.from(bytes.subarray(at, at + 512));
    const size = parseInt(header.toString('utf8', 124, 135), 8);
    const checksum = parseInt(header.toString('utf8', 148, 154), 8);
    assert.equal(
      header.fill(' ', 148, 156).reduce((sum, byte) => sum + byte, 0),
      checksum,
    );
    assert.equal(header.toString('utf8', 257, 263), 'ustar\0');
    files.set(header.toString('utf8', 0, 100).replaceAll('\0', ''), bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
