import { afterEach, beforeAll } from "@jest/globals";
import { type BenchOptions, InitBench, makeNative } from "./init-bench.js";

/** For a file of tests: the native programs built, and every bench that a test set up taken down after it. */
export function onBench(): (options?: BenchOptions) => InitBench {
  const benches: InitBench[] = [];
  beforeAll(makeNative, 60_000);
  afterEach(async () => {
    await Promise.all(benches.splice(0).map((bench) => bench.end()));
  });
  return (options) => {
    const bench = new InitBench(options);
    benches.push(bench);
    return bench;
  };
}
