import { pause } from "../../src/wait.js";
import { type Stage } from "../../test/support/stage.js";
import { criuOptions, images, pipeAcross, prepare, remove, startService, timed } from "../raw-container.js";
import { type Load } from "./load.js";

/** What CRIU alone takes for rounds and a switchover of the same service on the same nodes. */
export interface RawChain {
  /** Milliseconds of each pre-dump; the first one is of the whole memory. */
  preDumps: number[];
  /** Of the final dump, and the bytes of its images. */
  dump: number;
  bytes: number;
  restore: number;
  /** Bytes per second of all images together over one plain TCP connection. */
  copyRate: number;
}

const rounds = 3;

/** @param interval milliseconds from the last pre-dump's start to the final dump, so that as much is dirty as in ours. */
export async function rawChain(
  stage: Stage,
  { megabytes, percent }: Load,
  interval: number,
): Promise<RawChain> {
  await Promise.all([prepare(stage, "a"), prepare(stage, "b")]);
  const pid = await startService(stage, ["/srv/seed.py", "raw", "8100", String(megabytes), String(percent)]);
  const preDumps: number[] = [];
  for (let round = 1; round < rounds; round += 1) {
    preDumps.push(await criu(stage, "pre-dump", String(round), ["-t", pid, ...since(round)]));
  }
  const began = performance.now();
  preDumps.push(await criu(stage, "pre-dump", String(rounds), ["-t", pid, ...since(rounds)]));
  await pause(Math.max(0, interval - (performance.now() - began)));
  const dump = await criu(stage, "dump", "final", ["-t", pid, ...since(rounds + 1)]);
  const size = async (files: string): Promise<number> =>
    Number(await stage.on("a", "sh", "-c", `cat ${images}/${files} | wc -c`));
  const [bytes, all] = [await size("final/*.img"), await size("*/*.img")];
  const copy = await pipeAcross(
    stage,
    `tar -C ${images} -cf - . | socat -u -b 1048576 -`,
    `SYSTEM:"tar -C ${images} -xf -"`,
  );
  const restore = await criu(stage, "restore", "final", ["-d"]);
  for (const node of ["a", "b"] as const) await remove(stage, node);
  return { preDumps, dump, bytes, restore, copyRate: (all * 1000) / copy };
}

/** Relative, so that the same chain stands at the other end. */
function since(round: number): string[] {
  const parent = round === 1 ? [] : ["--prev-images-dir", `../${round - 1}`];
  return ["--track-mem", ...parent];
}

async function criu(
  stage: Stage,
  verb: "pre-dump" | "dump" | "restore",
  directory: string,
  more: readonly string[],
): Promise<number> {
  const node = verb === "restore" ? "b" : "a";
  const at = `${images}/${directory}`;
  await stage.on(node, "mkdir", "-p", at);
  const argv = ["criu", verb, ...criuOptions, "-D", at, "-o", `${verb}.log`, ...more];
  return timed(stage, node, argv);
}
