import { expect, it } from "vitest";

import { withDatabase } from "./database.js";

it("names the package when DuckDB does not load", async () => {
  const cause = new Error("no binary for this platform");
  const failure = withDatabase(
    async () => undefined,
    async () => {
      throw cause;
    },
  );
  await expect(failure).rejects.toMatchObject({
    code: "ENGINE_UNAVAILABLE",
    details: { package: "@duckdb/node-api", reason: cause.message },
    cause,
  });
});

it("never loads an extension or opens a connection", async () => {
  await withDatabase(async ({ connection }) => {
    await expect(connection.run("FROM read_csv('https://localhost:9/x.csv')")).rejects.toThrow(/httpfs/u);
    const settings = await connection.runAndReadAll(
      "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'threads') ORDER BY name",
    );
    expect(settings.getRows()).toEqual([
      ["autoinstall_known_extensions", "false"],
      ["threads", "1"],
    ]);
  });
});
