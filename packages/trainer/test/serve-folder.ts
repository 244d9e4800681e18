import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { onTestFinished } from "vitest";

/** Serves a folder over http for the rest of the test; gives its address. */
export async function serveFolder(folder: string): Promise<string> {
  const server = createServer((request, response) => {
    readFile(join(folder, request.url ?? "")).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { readonly port: number };
  return `http://127.0.0.1:${port}`;
}
