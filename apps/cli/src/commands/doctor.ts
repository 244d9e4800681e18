import { probeBackends } from "@ckpt/backend";
import { engineFormats, engineNames, loadEngine } from "@ckpt/evaluator";
import { isCkptError } from "@ckpt/manifest";

import type { Command } from "../command.js";
import { exitCodes } from "../exit-code.js";
import { formatTable, leftColumn } from "../table.js";

/** Whether an inference engine works here, and its version or what is missing. */
interface EngineProbe {
  readonly name: string;
  readonly isAvailable: boolean;
  readonly detail: string;
}

/** `ckpt doctor`: says what works on this machine and why the rest does not. */
export const doctorCommand: Command<object> = {
  usage: "doctor",
  summary: "Say which backends and engines work here, and why the others do not",
  examples: [["doctor", "check this machine"]],
  options: (parser) => parser,
  run: async () => {
    const backends = await probeBackends();
    const engines: EngineProbe[] = [];
    for (const name of engineNames) engines.push(await probeEngine(name));
    const rows = [
      ["node", process.version, "ok", `${process.platform} ${process.arch}`],
      ...backends.map((probe) => [
        "backend",
        probe.name,
        describeState(probe),
        probe.isAvailable ? "trains and freezes" : `${probe.reason} ${probe.remedy}`,
      ]),
      ...engines.map((probe) => ["engine", probe.name, describeState(probe), probe.detail]),
    ];
    const columns = ["part", "name", "state", "detail"].map(leftColumn);
    return {
      document: {
        node: { version: process.version, platform: process.platform, arch: process.arch },
        backends,
        engines,
      },
      text: formatTable(columns, rows),
      exitCode: exitCodes.ok,
    };
  },
};

function describeState({ isAvailable }: { readonly isAvailable: boolean }): string {
  return isAvailable ? "ok" : "missing";
}

async function probeEngine(name: (typeof engineNames)[number]): Promise<EngineProbe> {
  try {
    const { version } = await loadEngine(name);
    return { name, isAvailable: true, detail: `${version}, scores ${engineFormats[name]}` };
  } catch (error) {
    if (!isCkptError(error, "ENGINE_UNAVAILABLE")) throw error;
    // A loader's message may have lines of its own; a cell of the table is one.
    const reason = error.details.reason.trim().replaceAll(/\s+/g, " ");
    return { name, isAvailable: false, detail: `${reason} ${error.remedy}` };
  }
}
