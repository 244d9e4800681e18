import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

import { onTestFinished } from "vitest";

/** Serves folders on 127.0.0.1 by their prefixes, and `page` at `/`, until the test is over. Gives the address. */
export async function serveFolders(page: string, folders: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://127.0.0.1").pathname);
    const prefix = Object.keys(folders).find((each) => path.startsWith(each));
    if (path === "/") {
      response.writeHead(200, { "content-type": "text/html" }).end(page);
      return;
    }
    readFile(join(folders[prefix ?? ""] ?? "", path.slice(prefix?.length))).then(
      (bytes) => response.writeHead(200, { "content-type": typeOf(path) }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function typeOf(path: string): string {
  if (path.endsWith(".js")) return "text/javascript";
  return path.endsWith(".json") ? "application/json" : "application/octet-stream";
}
