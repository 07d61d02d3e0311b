import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { type LabState, loadImage } from "../../src/lab/index.js";
import { Stage } from "./stage.js";
import { buildWorkloadsImage } from "./workloads/image.js";
import { testLab } from "./lab.js";

/** For a file of end-to-end tests: a lab with the services' image, cleared after each test. */
export function onStage(raise: () => Promise<LabState> = testLab): () => Stage {
  let stage: Stage | undefined;
  const get = (): Stage => {
    if (stage === undefined) throw new Error("the stage is not set yet");
    return stage;
  };
  beforeAll(async () => {
    const lab = await raise();
    const image = await buildWorkloadsImage(() => undefined);
    await Promise.all(lab.nodes.map(({ name }) => loadImage(lab, name, image)));
    stage = await Stage.set(lab);
    await stage.clear();
  }, 30 * 60_000);
  afterEach(() => get().clear(), 60_000);
  afterAll(() => stage?.strike(), 60_000);
  return get;
}
