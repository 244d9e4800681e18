import { CkptError } from "@ckpt/manifest";

import { createUnreadableError, type DataFile, readDecompressed } from "./data-file.js";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;

/** What a CSV file holds, by its structure alone. */
export interface CsvStructure {
  /** The cells of the first line. */
  readonly header: readonly string[];
  /** Records after the header. */
  readonly rowCount: number;
}

/**
 * Reads a CSV file once (RFC 4180: commas, double quotes, one kind of line ending; blank lines are skipped) and checks
 * that every record has as many cells as the header. DuckDB alone would let pass records with extra empty cells and
 * gzip files that were cut off.
 *
 * @throws {CkptError} DATA_ROW_RAGGED at the first record of another length; DATA_UNREADABLE when the header is missing
 * or names a column twice, quotes are out of place, line endings are mixed, or the gzip data is damaged.
 */
export async function scanCsv(dataFile: DataFile): Promise<CsvStructure> {
  const { file } = dataFile;
  let state: "record" | "cell" | "plain" | "quoted" | "closed" | "return" = "record";
  let line = 1; // of the byte that is looked at
  let recordLine = 1; // of the record's first byte
  let cellCount = 1;
  let isBlank = true;
  let ending: string | undefined;
  let rowCount = 0;
  let header: readonly string[] | undefined;
  let headerChunks: Uint8Array[] = [];
  let chunk: Uint8Array = new Uint8Array();

  /** `at`: where in the chunk the record has ended; `found`: by what, if not by the end of the file. */
  const endRecord = (at: number, found?: string) => {
    if (found !== undefined) {
      if (ending !== undefined && found !== ending) {
        throw createUnreadableError(file, `line ${line} ends in ${found}, those before it in ${ending}`);
      }
      ending = found;
      line++;
    }
    if (header === undefined) {
      header = parseHeader(file, [...headerChunks, chunk.subarray(0, at)]);
      headerChunks = [];
    } else if (!isBlank || header.length === 1) {
      // In a file of one column a blank line is a record with an empty cell.
      if (cellCount !== header.length) {
        const details = { file, line: recordLine, expectedColumns: header.length, foundColumns: cellCount };
        throw new CkptError("DATA_ROW_RAGGED", details);
      }
      rowCount++;
    }
    state = "record";
    recordLine = line;
    cellCount = 1;
    isBlank = true;
  };

  for await (chunk of readDecompressed(dataFile)) {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (state === "return") {
        endRecord(at, byte === lineFeed ? "CR LF" : "CR");
        if (byte === lineFeed) continue;
      }
      if (state === "quoted") {
        if (byte === quote) state = "closed";
        else if (byte === lineFeed) line++;
      } else if (byte === comma) {
        cellCount++;
        isBlank = false;
        state = "cell";
      } else if (byte === lineFeed) {
        endRecord(at, "LF");
      } else if (byte === carriageReturn) {
        state = "return";
      } else if (state === "closed") {
        // A second quote is an escaped one.
        if (byte === quote) state = "quoted";
        else if (byte !== space) throw createUnreadableError(file, `line ${line}: text after a closing quote`);
      } else if (state !== "plain") {
        isBlank = false;
        if (byte === quote) state = "quoted";
        else state = byte === space ? "cell" : "plain";
      }
    }
    if (header === undefined) headerChunks.push(chunk);
  }

  if (state === "quoted") throw createUnreadableError(file, `line ${recordLine}: a quote that is never closed`);
  if (header === undefined || state !== "record") endRecord(0, state === "return" ? "CR" : undefined);
  return { header: header ?? [], rowCount };
}

function parseHeader(file: string, bytes: readonly Uint8Array[]): readonly string[] {
  let text: string;
  try {
    // The decoder drops a byte order mark of UTF-8; that of UTF-16 is no UTF-8.
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(bytes)).replace(/\r$/u, "");
  } catch (cause) {
    throw createUnreadableError(file, "line 1 is not UTF-8 text", cause);
  }
  if (text === "") throw createUnreadableError(file, "line 1 is empty where the column names should be");
  const cells = text.match(/(?<=^|,)(?: *"(?:[^"]|"")*" *|[^,]*)(?=,|$)/gu) ?? [];
  const names = cells.map((cell) => {
    const [, quoted] = /^ *"((?:[^"]|"")*)" *$/u.exec(cell) ?? [];
    return quoted === undefined ? cell : quoted.replaceAll('""', '"');
  });
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw createUnreadableError(file, `column ${repeated} is in the header twice`);
  return names;
}
