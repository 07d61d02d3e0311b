import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options: { type: "minor" }) => void;

let collect: Collect | undefined;

/** Bytes of bodies between two collections. */
const every = 4 * 1024 * 1024;
let since = 0;

/**
 * Node's HTTP parser makes a buffer of 16 or 64 KB for every read. V8 sees only their small heads and lets some
 * 100 MB of them gather before it collects; a young collection now and then takes half a millisecond instead.
 */
export function countGarbage(bytes: number): void {
  since += bytes;
  if (since < every) return;
  since = 0;
  collect ??= exposed();
  collect({ type: "minor" });
}

function exposed(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
