import { type Stage } from "../test/support/stage.js";
import {
  criuOptions,
  images,
  pipeAcross,
  place,
  prepare,
  remove,
  startService,
  timed,
} from "./raw-container.js";

/** What the same move costs without any of us, in milliseconds: CRIU, one plain TCP connection, CRIU. */
export interface RawMove {
  dump: number;
  copy: number;
  restore: number;
  bytes: number;
}

const criu = [...criuOptions, "-D", images];

export async function rawMove(stage: Stage, megabytes: number): Promise<RawMove> {
  await Promise.all([prepare(stage, "a"), prepare(stage, "b")]);
  const pid = await startService(stage, ["/srv/pattern.py", "raw", "8100", String(megabytes)]);
  const dump = await timed(stage, "a", ["criu", "dump", ...criu, "-o", "dump.log", "-t", pid]);
  const { ms: copy, bytes } = await copyImages(stage);
  const restore = await timed(stage, "b", ["criu", "restore", ...criu, "-o", "restore.log", "-d"]);
  for (const node of ["a", "b"] as const) await remove(stage, node);
  return { dump, copy, restore, bytes };
}

/** The same bytes, in one file each way, so that nothing but the connection counts. */
async function copyImages(stage: Stage): Promise<{ ms: number; bytes: number }> {
  const [from, to] = [`${place}/sent`, `${place}/received`];
  await stage.on("a", "sh", "-c", `cat ${images}/*.img > ${from}`);
  const ms = await pipeAcross(stage, `socat -u -b 1048576 FILE:${from}`, `CREATE:${to}`);
  const bytes = Number(await stage.on("b", "stat", "-c", "%s", to));
  await cutIntoFiles(stage);
  return { ms, bytes };
}

/** Cuts what was received into the files that the restore wants: not timed. */
async function cutIntoFiles(stage: Stage): Promise<void> {
  const sizes = await stage.on("a", "sh", "-c", `cd ${images} && stat -c '%s %n' *.img`);
  const script = `import sys
received = open("${place}/received", "rb")
for line in sys.argv[1].split("\\n"):
  size, name = line.split(" ")
  open("${images}/" + name, "wb").write(received.read(int(size)))`;
  await stage.on("b", "python3", "-c", script, sizes.trim());
}
