import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { Stage } from "./stage.js";
import { testLab } from "./lab.js";

/** For a file of end-to-end tests: the lab, cleared after each test. */
export function onStage(): () => Stage {
  let stage: Stage | undefined;
  const get = (): Stage => {
    if (stage === undefined) throw new Error("the stage is not set yet");
    return stage;
  };
  beforeAll(async () => {
    stage = await Stage.set(await testLab());
    await stage.clear();
  }, 30 * 60_000);
  afterEach(() => get().clear(), 60_000);
  afterAll(() => stage?.strike(), 60_000);
  return get;
}
