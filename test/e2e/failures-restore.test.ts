import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { secondSucceeds, watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";

const stage = onStage();

test("a file that the service has open is missing at the destination: CRIU's words, and the source serves", async () => {
  await stage().on("a", "sh", "-c", "mkdir -p /srv/notes && echo one > /srv/notes/open");
  await stage().on("b", "sh", "-c", "rm -rf /srv/notes && mkdir -p /srv/notes");
  const scene = await watched(stage(), {}, { ...holdsOpen("/notes/open"), leave: ["/notes"] });

  const { exit, stderr } = await stage().fastmig("migrate", scene.plan);
  expect({ exit, stderr }).toMatchObject({
    exit: exitCodes.rolledBack,
    stderr: expect.stringContaining("notes/open"),
  });
  await scene.witness.servesOn("a");

  await stage().on("b", "sh", "-c", "echo one > /srv/notes/open");
  await secondSucceeds(stage(), scene);
}, 120_000);

/** The same program, with a file of a volume open beside. */
function holdsOpen(path: string): { env: Record<string, string>; run: object } {
  return {
    env: { PYTHONDONTWRITEBYTECODE: "1", HOLD_OPEN: path },
    run: { publish: ["8000:8000"], volumes: ["/srv/notes:/notes"] },
  };
}
