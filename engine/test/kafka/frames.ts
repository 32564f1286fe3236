// Cuts the bytes of a connection into requests: each has its length before it.

/** Takes bytes as they come, and gives each request that is complete to `onRequest`. */
export function frames(onRequest: (request: Buffer) => void): (bytes: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
      const request = waiting.subarray(4, 4 + waiting.readInt32BE(0));
      waiting = waiting.subarray(4 + request.length);
      onRequest(request);
    }
  };
}
