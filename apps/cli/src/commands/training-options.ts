import type { Argv } from "yargs";

/** What `train` and `run` are given: what to train, and what to do about a run that is there already. */
export interface TrainingArguments {
  readonly config: string;
  readonly resume: boolean;
  readonly fresh: boolean;
}

/** Adds the arguments of a command that trains. */
export function addTrainingOptions(parser: Argv): Argv<TrainingArguments> {
  return parser
    .positional("config", { type: "string", default: ".", describe: "A configuration file or its folder" })
    .option("resume", { type: "boolean", default: false, describe: "Go on from the latest valid checkpoint" })
    .option("fresh", { type: "boolean", default: false, describe: "Discard what is there and start over" });
}
