import { down, findLab, loadImage, up } from "../src/lab/index.js";
import { Stage } from "../test/support/stage.js";
import { buildWorkloadsImage } from "../test/support/workloads/image.js";

export type Say = (line: string) => void;

/** A lab of this name that is up is used as it is, and stays up. */
const lab = process.env.FASTMIG_BENCH_VM_LAB ?? "bench-vm";

/** Does its work on two machines with a kernel of their own, whose memory tracking pre-copy needs. */
export async function onMachines<T>(say: Say, work: (stage: Stage) => Promise<T>): Promise<T> {
  const stays = (await findLab(lab)) !== undefined;
  const state = await up({ name: lab, kind: "vm", rate: null, say });
  try {
    const image = await buildWorkloadsImage(say);
    for (const { name } of state.nodes) await loadImage(state, name, image);
    const stage = await Stage.set(state);
    await stage.clear();
    return await work(stage).finally(() => stage.strike());
  } finally {
    if (!stays) await down(lab);
  }
}
