/** The JSON of a body, which is read no further than it may be long. Throws an Error for one that is longer or no JSON. */
export async function boundedJson(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes) throw new Error(`an answer of more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
