/** FastFreeze's command line, as its documents have it. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf } from "../../errors.js";
import { exitCodes, Failure } from "../failure.js";

type Given = NonNullable<ParseArgsConfig["options"]>;

const text = { type: "string" } as const;
const yes = { type: "boolean" } as const;
const url = { ...text, short: "i" } as const;
const verbose = { type: "boolean", short: "v", multiple: true } as const;
const help = { type: "boolean", short: "h" } as const;
const preserve = { type: "string", multiple: true } as const;
const common = { verbose, help } as const;

const known = {
  run: {
    ...common,
    "image-url": url,
    "on-app-ready": text,
    "passphrase-file": text,
    "preserve-path": preserve,
    "tcp-listen-remap": { type: "string", multiple: true },
    "no-restore": yes,
    "allow-bad-image-version": yes,
    "leave-stopped": yes,
  },
  checkpoint: {
    ...common,
    "image-url": url,
    "passphrase-file": text,
    "preserve-path": preserve,
    "leave-running": yes,
    "num-shards": { ...text, default: "4" },
    "cpu-budget": { ...text, default: "medium" },
  },
  extract: {
    ...common,
    "image-url": url,
    "output-dir": { ...text, short: "o" },
    "allow-bad-image-version": yes,
    "passphrase-file": text,
  },
  wait: { ...common, timeout: { ...text, short: "t" } },
  install: { ...common, force: yes },
} as const satisfies Record<string, Given>;

export type Verb = keyof typeof known;
export const isVerb = (word: string): word is Verb => Object.hasOwn(known, word);

/** The options of a command, and the words that are none. Throws Failure, exit 1. */
export function parse<V extends Verb>(verb: V, words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: known[verb], allowPositionals: true });
  } catch (thrown) {
    throw usage(messageOf(thrown), verb);
  }
}

export function usage(why: string, verb?: Verb): Failure {
  return new Failure(`error: ${why}`, exitCodes.usage, [
    verb === undefined ? "try: fastfreeze --help" : `try: fastfreeze ${verb} --help`,
  ]);
}

/** `old:new`, several with commas between. Throws Failure. */
export function remapsOf(words: readonly string[] = []): { from: number; to: number }[] {
  return words
    .flatMap((word) => word.split(","))
    .map((word) => {
      const [, from = "", to = ""] = /^(\d{1,5}):(\d{1,5})$/.exec(word) ?? [];
      const isPort = (port: string): boolean => Number(port) >= 1 && Number(port) <= 65_535;
      if (!isPort(from) || !isPort(to))
        throw usage(`--tcp-listen-remap: old_port:new_port, not ${word}`, "run");
      return { from: Number(from), to: Number(to) };
    });
}
