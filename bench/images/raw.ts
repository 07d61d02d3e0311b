import { type Stage } from "../../test/support/stage.js";
import { warm } from "../warm.js";
import { criuOptions, images, inside, prepare, remove, startService, timed } from "../raw-container.js";

/** Milliseconds of CRIU and of the packing programs, on the same bytes as ours. */
export interface RawTimes {
  dump: number[];
  restore: number[];
  lz4: number[];
  zstd: number[];
  unlz4: number[];
  unzstd: number[];
}

const criu = [...criuOptions, "-D", images];

/** A program is dumped and restored so many times, and its pages packed and unpacked; everything lies on tmpfs. */
export async function rawTimes(stage: Stage, program: readonly string[], runs: number): Promise<RawTimes> {
  await prepare(stage, "a");
  const pid = await startService(stage, program);
  const times: RawTimes = { dump: [], restore: [], lz4: [], zstd: [], unlz4: [], unzstd: [] };
  for (let run = 0; run < runs; run += 1) {
    await inside(stage, "a", ["sh", "-c", `rm -f ${images}/*`]);
    warm(4);
    times.dump.push(await timed(stage, "a", ["criu", "dump", ...criu, "-o", "dump.log", "-t", pid]));
    await pack(stage, run, times);
    warm(4);
    times.restore.push(await timed(stage, "a", ["criu", "restore", ...criu, "-o", "restore.log", "-d"]));
  }
  await remove(stage, "a");
  return times;
}

/** With as many threads as there are processors, as ours. The first run alone: they take long. */
async function pack(stage: Stage, run: number, times: RawTimes): Promise<void> {
  if (run > 1) return;
  const [pages, packed, again] = ["pages", "packed", "again"].map((name) => `${images}/${name}.bench`);
  await inside(stage, "a", ["sh", "-c", `cat ${images}/pages-*.img > ${pages}`]);
  const cold = async (argv: string[]): Promise<number> => {
    warm(4);
    const ms = await timed(stage, "a", argv);
    return ms;
  };
  times.lz4.push(await cold(["lz4", "-1", "-q", "-f", `${pages}`, `${packed}`]));
  times.unlz4.push(await cold(["lz4", "-d", "-q", "-f", `${packed}`, `${again}`]));
  times.zstd.push(await cold(["zstd", "-1", "-T0", "-q", "-f", `${pages}`, "-o", `${packed}`]));
  times.unzstd.push(await cold(["zstd", "-d", "-q", "-f", `${packed}`, "-o", `${again}`]));
  await inside(stage, "a", ["sh", "-c", `rm -f ${images}/*.bench`]);
}
