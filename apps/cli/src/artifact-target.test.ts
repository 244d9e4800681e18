import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findArtifacts } from "./artifact-target.js";

let folder: string;

/** Folders are told apart by the names of their manifests alone. */
async function createManifest(path: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), "");
}

/** A path of the folder as seen from here. */
function here(path: string): string {
  return relative(process.cwd(), join(folder, path));
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "ckpt-artifact-target-")));
  for (const path of ["run/run.json", "empty-run/run.json", "none/notes.txt"]) await createManifest(path);
  for (const id of ["step-00000002", "step-00000010", ".step-00000003.staging-1"]) {
    await createManifest(`run/artifacts/${id}/artifact.json`);
  }
  for (const id of ["b", "a"]) await createManifest(`frozen/${id}/artifact.json`);
  await createManifest("frozen/evaluations/a.select.0/evaluation.json");
  await symlink("artifacts/step-00000010", join(folder, "run/best"));
  await symlink(join(folder, "frozen/a"), join(folder, "absolute-link"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("findArtifacts", () => {
  it("takes all artifacts of a run by step, and keeps their evaluations in the run", async () => {
    const run = join(folder, "run");
    expect(await findArtifacts(run)).toEqual({
      artifacts: [join(run, "artifacts/step-00000002"), join(run, "artifacts/step-00000010")],
      evaluations: join(run, "evaluations"),
      run,
    });
  });

  it.each(["run/best", "run/best/", "run/artifacts/step-00000010", "frozen/../run/best"])(
    "takes %s as one artifact of its run, by its own name",
    async (path) => {
      expect(await findArtifacts(`${folder}/${path}`)).toEqual({
        artifacts: [join(folder, "run/artifacts/step-00000010")],
        evaluations: join(folder, "run/evaluations"),
        run: join(folder, "run"),
      });
    },
  );

  it("takes the folder of a run's artifacts as belonging to the run", async () => {
    const { artifacts, evaluations } = await findArtifacts(join(folder, "run/artifacts/"));
    expect(artifacts).toHaveLength(2);
    expect(evaluations).toBe(join(folder, "run/evaluations"));
  });

  it("takes artifacts from anywhere, with their evaluations beside them", async () => {
    const frozen = join(folder, "frozen");
    const evaluations = join(frozen, "evaluations");
    expect(await findArtifacts(frozen)).toEqual({ artifacts: [join(frozen, "a"), join(frozen, "b")], evaluations });
    expect(await findArtifacts(join(folder, "absolute-link"))).toEqual({ artifacts: [join(frozen, "a")], evaluations });
  });

  it("shows relative paths as relative ones", async () => {
    expect(await findArtifacts(here("run/best"))).toEqual({
      artifacts: [here("run/artifacts/step-00000010")],
      evaluations: here("run/evaluations"),
      run: here("run"),
    });
  });

  it.each(["empty-run", "none", "nowhere", "none/notes.txt"])("finds nothing in %s", async (path) => {
    await expect(findArtifacts(join(folder, path))).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  });
});
