import { type DataFile, readDecompressed } from "./data-file.js";

/**
 * Names the first line that is not one JSON object, or `undefined` when every line is. DuckDB counts the lines of
 * such errors differently by the kind of error.
 */
export async function locateJsonProblem(dataFile: DataFile): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  let rest = "";
  try {
    for await (const chunk of readDecompressed(dataFile)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) {
        if (!isJsonObject(text)) return describeLine(line);
        line++;
      }
    }
  } catch (error) {
    if (error instanceof TypeError) return `the text after line ${line} is not UTF-8`;
    throw error;
  }
  return isJsonObject(rest) ? undefined : describeLine(line);
}

const describeLine = (line: number) => `line ${line} is not one JSON object`;

function isJsonObject(text: string): boolean {
  if (text.trim() === "") return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
